"""Some exchanges' orders name an instrument by a number of theirs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('feeds', '0008_daemon_sockets'),
    ]
    operations = [
        migrations.AddField(
            model_name='tradepair',
            name='number',
            field=models.BigIntegerField(db_column='NUMBER', help_text="The exchange's own number of it, where orders name that", null=True),
        ),
    ]
