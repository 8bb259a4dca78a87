"""The ledger of spool segments."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('monitoring', '0003_further_pairs'),
    ]
    operations = [
        migrations.CreateModel(
            name='ChBatch',
            fields=[
                ('batch_id', models.CharField(max_length=128, primary_key=True, serialize=False)),
                ('table_name', models.CharField(max_length=64)),
                ('stream', models.CharField(max_length=64, null=True)),
                ('daemon', models.CharField(max_length=64)),
                ('host', models.CharField(max_length=255)),
                ('path', models.CharField(max_length=500)),
                ('epoch', models.BigIntegerField(null=True)),
                ('first_no', models.BigIntegerField(null=True)),
                ('last_no', models.BigIntegerField(null=True)),
                ('rows', models.BigIntegerField(db_default=0)),
                ('bytes', models.BigIntegerField(db_default=0)),
                ('sha256', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('OPEN', 'Open'), ('SEALED', 'Sealed'), ('SENDING', 'Sending'), ('DONE', 'Done'), ('QUARANTINE', 'Quarantine')], db_default='SEALED', max_length=12)),
                ('attempts', models.IntegerField(db_default=0)),
                ('last_error', models.CharField(blank=True, db_default='', max_length=500)),
                ('sealed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('first_sent_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'batch',
                'verbose_name_plural': 'batches',
                'db_table': 'ch_batch',
                'ordering': ['-sealed_at'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['state', 'host', 'sealed_at'], name='ch_batch_due')],
            },
        ),
    ]
