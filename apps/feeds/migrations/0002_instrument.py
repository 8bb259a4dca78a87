"""The catalogue: what each exchange lists."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import apps.feeds.fields


class Migration(migrations.Migration):
    dependencies = [
        ('feeds', '0001_exchange'),
    ]
    operations = [
        migrations.CreateModel(
            name='TradePair',
            fields=[
                ('id', models.AutoField(db_column='ID', primary_key=True, serialize=False)),
                ('market_type', models.CharField(choices=[('spot', 'spot'), ('futures', 'futures')], db_column='MARKET_TYPE', max_length=20)),
                ('pair', models.CharField(db_column='PAIR', max_length=50)),
                ('symbol', models.CharField(db_column='SYMBOL', max_length=50)),
                ('base', models.CharField(db_column='BASE', max_length=30)),
                ('quote', models.CharField(db_column='QUOTE', max_length=30)),
                ('settle', models.CharField(db_column='SETTLE', max_length=30)),
                ('tick', apps.feeds.fields.ExactDecimalField(db_column='TICK', decimal_places=18, max_digits=38)),
                ('lot', apps.feeds.fields.ExactDecimalField(db_column='LOT', decimal_places=18, max_digits=38)),
                ('contract_size', apps.feeds.fields.ExactDecimalField(db_column='CONTRACT_SIZE', db_default=1, decimal_places=18, max_digits=38)),
                ('inverse', models.BooleanField(db_column='INVERSE', db_default=False)),
                ('min_amount', apps.feeds.fields.ExactDecimalField(db_column='MIN_AMOUNT', decimal_places=18, max_digits=38, null=True)),
                ('min_notional', apps.feeds.fields.ExactDecimalField(db_column='MIN_NOTIONAL', decimal_places=18, max_digits=38, null=True)),
                ('status', models.CharField(choices=[('trading', 'trading'), ('suspended', 'suspended'), ('delisted', 'delisted')], db_column='STATUS', db_default='trading', max_length=20)),
                ('volume_24h', apps.feeds.fields.ExactDecimalField(db_column='VOLUME_24H', decimal_places=8, help_text='In quote currency', max_digits=38, null=True)),
                ('refreshed_at', models.DateTimeField(db_column='REFRESHED_AT', db_default=django.db.models.functions.datetime.Now())),
                ('exchange', models.ForeignKey(db_column='EXCHANGE_ID', on_delete=django.db.models.deletion.CASCADE, to='feeds.exchange')),
            ],
            options={
                'verbose_name': 'instrument',
                'db_table': 'SPOT_TRADE_PAIR',
                'ordering': ['exchange', 'market_type', 'pair'],
                'indexes': [models.Index(fields=['pair'], name='instrument_pair'), models.Index(fields=['base'], name='instrument_base')],
                'constraints': [models.UniqueConstraint(fields=('exchange', 'market_type', 'pair'), name='instrument_once')],
            },
        ),
    ]
