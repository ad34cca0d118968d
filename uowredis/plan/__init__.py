"""What will be sent, as data (decide, pure): the plan, its steps, and how it looks on paper, as JSON and as script."""

from uowredis.plan.plan import Plan
from uowredis.plan.steps import Step

__all__ = ["Plan", "Step"]
