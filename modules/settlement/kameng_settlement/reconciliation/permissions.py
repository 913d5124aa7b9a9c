"""What only some of the staff may do with bills and cases."""

from kameng.module import Permission

READ_RECONCILIATION = Permission(
    "settlement.read_reconciliation",
    "Read bills, reconciliations and their cases",
    "查看账单、对账结果和差异",
)
RECONCILE = Permission(
    "settlement.reconcile", "Import and describe bills, and reconcile days", "导入和描述账单并执行对账"
)
RESOLVE_CASES = Permission(
    "settlement.resolve_cases",
    "Take over, comment and resolve cases of reconciliation",
    "认领、备注和处理对账差异",
)

PERMISSIONS = (READ_RECONCILIATION, RECONCILE, RESOLVE_CASES)
