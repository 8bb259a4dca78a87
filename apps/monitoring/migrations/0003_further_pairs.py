"""Further pairs of a MONITORING row."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('feeds', '0002_instrument'),
        ('monitoring', '0002_updated_at'),
    ]
    operations = [
        migrations.CreateModel(
            name='MonitoringPair',
            fields=[
                ('id', models.AutoField(db_column='ID', primary_key=True, serialize=False)),
                ('monitor', models.ForeignKey(db_column='MONITOR_ID', on_delete=django.db.models.deletion.CASCADE, related_name='more_pairs', to='monitoring.monitoring')),
                ('trade_pair', models.ForeignKey(db_column='PAIR_ID', on_delete=django.db.models.deletion.CASCADE, to='feeds.tradepair')),
            ],
            options={
                'verbose_name': 'further pair',
                'db_table': 'MONITORING_SPOT_ARRAYS',
                'constraints': [models.UniqueConstraint(fields=('monitor', 'trade_pair'), name='further_pair_once')],
            },
        ),
    ]
