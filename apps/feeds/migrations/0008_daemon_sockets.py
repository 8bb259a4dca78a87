"""Daemons say how many sockets they may open: pairs alone do not tell what finds room."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('feeds', '0007_eight_exchanges'),
    ]
    operations = [
        migrations.AddField(
            model_name='daemon',
            name='sockets',
            field=models.IntegerField(db_default=20, help_text='Sockets that it may open, to hold them on'),
        ),
    ]
