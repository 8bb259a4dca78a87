"""The trail of changes and the end of its chain."""

from django.db import migrations, models


def begin_chain(apps, schema_editor):
    apps.get_model("users", "AuditHead").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [
        ('users', '0002_roles'),
    ]
    operations = [
        migrations.CreateModel(
            name='Audit',
            fields=[
                ('change_id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('user', models.CharField(blank=True, max_length=150)),
                ('role', models.CharField(blank=True, max_length=20)),
                ('session', models.CharField(blank=True, max_length=64)),
                ('ip', models.CharField(blank=True, max_length=45)),
                ('action', models.CharField(max_length=64)),
                ('object', models.CharField(max_length=200)),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('idempotency_key', models.CharField(blank=True, max_length=100)),
                ('approved_by', models.CharField(blank=True, max_length=150)),
                ('result', models.CharField(max_length=20)),
                ('prev_hash', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name_plural': 'audit',
                'db_table': 'audit',
                'ordering': ['-change_id'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['object', 'change_id'], name='audit_object')],
            },
        ),
        migrations.CreateModel(
            name='AuditHead',
            fields=[
                ('id', models.SmallAutoField(primary_key=True, serialize=False)),
                ('last_change_id', models.BigIntegerField(default=0)),
                ('last_hash', models.CharField(blank=True, default='', max_length=64)),
            ],
            options={
                'db_table': 'audit_head',
                'default_permissions': (),
            },
        ),
        migrations.RunPython(begin_chain, migrations.RunPython.noop),
    ]
