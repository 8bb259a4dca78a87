"""The ledger of gaps."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('monitoring', '0004_ch_batch'),
    ]
    operations = [
        migrations.CreateModel(
            name='FeedGap',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('exchange', models.CharField(max_length=50)),
                ('market_type', models.CharField(max_length=20)),
                ('pair', models.CharField(max_length=50)),
                ('stream', models.CharField(max_length=64)),
                ('epoch', models.BigIntegerField(db_default=0)),
                ('from_seq', models.BigIntegerField(null=True)),
                ('to_seq', models.BigIntegerField(null=True)),
                ('from_ts', models.DateTimeField()),
                ('to_ts', models.DateTimeField(null=True)),
                ('reason', models.CharField(max_length=200)),
                ('daemon', models.CharField(max_length=64)),
                ('fence', models.BigIntegerField(db_default=0)),
                ('ended_by', models.CharField(blank=True, db_default='', max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name': 'gap',
                'db_table': 'feed_gap',
                'ordering': ['-from_ts', '-id'],
                'default_permissions': ('view',),
                'indexes': [models.Index(fields=['exchange', 'market_type', 'pair', 'from_ts'], name='feed_gap_pair'), models.Index(fields=['from_ts'], name='feed_gap_time')],
                'constraints': [models.UniqueConstraint(fields=('exchange', 'market_type', 'pair', 'daemon', 'from_ts'), name='feed_gap_once')],
            },
        ),
    ]
