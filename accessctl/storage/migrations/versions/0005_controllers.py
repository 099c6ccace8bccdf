"""How a controller wants its tables written, beside its health.

Frozen: it imports nothing of the program, which goes on changing.

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

FLAGS = ("dates_in_seconds", "doors_by_number")


def upgrade() -> None:
    """Nothing is known of any controller until it says it again, which each does when it connects."""
    with op.batch_alter_table("device_health") as table:
        for name in FLAGS:
            table.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("device_health") as table:
        for name in FLAGS:
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    """Forget it again."""
    with op.batch_alter_table("device_health") as table:
        for name in FLAGS:
            table.drop_column(name)
