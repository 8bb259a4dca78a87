"""Daemons and their heartbeats."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('feeds', '0002_instrument'),
    ]
    operations = [
        migrations.CreateModel(
            name='Daemon',
            fields=[
                ('id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('boot_uuid', models.UUIDField()),
                ('role', models.CharField(max_length=20)),
                ('host', models.CharField(max_length=255)),
                ('pid', models.IntegerField()),
                ('heartbeat_at', models.DateTimeField()),
                ('started_at', models.DateTimeField()),
                ('capacity', models.IntegerField(help_text='Pairs that it can hold')),
                ('build_id', models.CharField(max_length=40)),
                ('draining', models.BooleanField(db_default=False)),
            ],
            options={
                'db_table': 'daemon',
                'ordering': ['id'],
                'default_permissions': ('view',),
            },
        ),
    ]
