"""test_irqsoff.py - interrupts and preemption are off only for short: a build with IRQSOFF=1 measures it."""

import pytest

import irqsoff
from vm import Machine


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return irqsoff.build(str(tmp_path_factory.mktemp("irqsoff")))


def test_interrupts_are_off_only_for_short(image):
    with Machine(image, extra=irqsoff.ICOUNT) as vm:
        found = irqsoff.measure(vm)
        assert "irqs_off_max" in vm.command("bench", timeout=200)
    assert all(irqs > 100 for _, irqs, _, _ in found), "it measures"
    assert not [row for row in found
                if row[1] > irqsoff.IRQS_MAX or (row[0] not in ("keys", "top") and row[2] > irqsoff.PREEMPT_MAX)]


def test_a_normal_kernel_does_not_measure():
    with Machine() as vm:
        vm.prompt()
        assert "IRQSOFF=1" in vm.command("irqsoff")
        assert "irqs_off_max" not in vm.command("bench", timeout=200)
