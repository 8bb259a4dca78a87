"""The ledger of paper accounts; traders look at their own."""

import apps.trading.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from apps.users.roles import TRADER, grant


def grant_permissions(apps, schema_editor):
    grant(apps, role=TRADER, app_label='trading', model='paperentry', actions=('view',))


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0004_role_permissions'),
    ]

    operations = [
        migrations.CreateModel(
            name='PaperEntry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('trade_id', apps.trading.fields.ExactTextField(db_default='', max_length=100)),
                ('kind', models.CharField(choices=[('deposit', 'deposit'), ('trade', 'trade'), ('fee', 'fee'), ('profit', 'profit')], max_length=10)),
                ('asset', models.CharField(max_length=30)),
                ('amount', apps.trading.fields.Money()),
                ('exchange_ms', models.BigIntegerField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='trading.account')),
            ],
            options={
                'db_table': 'paper_entry',
                'ordering': ['-id'],
                'default_permissions': ('view',),
                'constraints': [models.UniqueConstraint(fields=('account', 'trade_id', 'kind', 'asset'), name='paper_entry_once')],
            },
        ),
        migrations.RunPython(grant_permissions, migrations.RunPython.noop),
    ]
