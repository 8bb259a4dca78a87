"""Who holds which shard."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('feeds', '0003_daemon'),
    ]
    operations = [
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('resource', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('holder', models.CharField(blank=True, max_length=64)),
                ('fence', models.BigIntegerField(db_default=0)),
                ('expires_at', models.DateTimeField()),
            ],
            options={
                'db_table': 'lease',
                'ordering': ['resource'],
                'default_permissions': ('view',),
            },
        ),
    ]
