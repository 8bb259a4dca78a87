"""A lease tells how often it was torn from holders that had not let go."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("feeds", "0009_instrument_number"),
    ]
    operations = [
        migrations.AddField(model_name="lease", name="torn_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="lease", name="torn", field=models.PositiveIntegerField(db_default=0)),
    ]
