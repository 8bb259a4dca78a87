"""The exchanges."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name='Exchange',
            fields=[
                ('id', models.AutoField(db_column='ID', primary_key=True, serialize=False)),
                ('code', models.CharField(db_column='CODE', help_text='As in MONITORING.EXCHANGE_ID', max_length=50, unique=True)),
                ('name', models.CharField(db_column='NAME', max_length=100)),
                ('enabled', models.BooleanField(db_column='ENABLED', db_default=True, help_text='Off: none of its pairs runs')),
            ],
            options={
                'db_table': 'EXCHANGE',
                'ordering': ['code'],
            },
        ),
    ]
