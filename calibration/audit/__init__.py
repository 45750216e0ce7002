"""How often each check of `repro audit` errs: papers that agree with themselves, and the same with
one wrong number.
"""
