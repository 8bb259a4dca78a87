"""MONITORING as in the seeds: its defaults and indexes are the database's own."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name='Monitoring',
            fields=[
                ('id', models.AutoField(db_column='ID', primary_key=True, serialize=False)),
                ('exchange', models.CharField(db_column='EXCHANGE_ID', max_length=50)),
                ('exchange_name', models.CharField(blank=True, db_column='EXCHANGE_NAME', max_length=100, null=True)),
                ('market_type', models.CharField(blank=True, choices=[('spot', 'spot'), ('futures', 'futures')], db_column='MARKET_TYPE', help_text='Empty: spot', max_length=20, null=True)),
                ('trade_pair_id', models.IntegerField(blank=True, db_column='TRADE_PAIR_ID', null=True)),
                ('pair', models.CharField(db_column='TRADE_PAIR', max_length=50)),
                ('priority', models.IntegerField(blank=True, db_column='DAEMON_PRIORITY', db_default=0, help_text='Higher is served first when capacity is short', null=True)),
                ('enabled', models.BooleanField(db_column='ENABLED', db_default=True, null=True)),
                ('depth', models.IntegerField(blank=True, choices=[(20, '20'), (50, '50'), (0, 'full')], db_column='ORDERBOOK_DEPTH', db_default=20, help_text='Empty: CT_ORDERBOOK_DEPTH', null=True)),
                ('created_at', models.DateTimeField(db_column='CREATED_AT', db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_column='UPDATED_AT', db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('active', models.BooleanField(db_column='ACTIVE', db_default=True, null=True)),
                ('user', models.ForeignKey(blank=True, db_column='USER_ID', null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'watched pair',
                'db_table': 'MONITORING',
                'ordering': ['exchange', 'market_type', 'pair', 'id'],
                'indexes': [models.Index(fields=['exchange', 'market_type', 'enabled'], name='monitoring_market'), models.Index(fields=['priority'], name='monitoring_priority')],
            },
        ),
    ]
