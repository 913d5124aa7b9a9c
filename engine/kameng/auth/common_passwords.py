"""The passwords that everybody tries first.

Only what could pass the other rules stands here: ten characters and more. The lists that attackers use are
    far longer; rate limits and the second factor are what stops those.
"""

_WHOLE = """
0000000000 0123456789 0987654321 1111111111 1122334455 1231231234 1234512345 1234554321 1234567890
12345678900 1234567891 12345678910 1234567899 123456789a 123456789q 123456789z 123456abcdef 123456qwerty
1357924680 1472583690 147258369a 147258369q 159357456a 1q2w3e4r5t 1q2w3e4r5t6y 1q2w3e4r5t6y7u8i 1qaz2wsx3edc
1qazxsw23edc 2wsx3edc4rfv 5201314520 520131452013 5201314a123 7418529630 753951456852 7894561230 789456123a
88888888aa 9638527410 9876543210 a123456789 a1234567890 a1b2c3d4e5 aa12345678 aa123456789 aaaaaa123456
abc1231231 abc1234567 abc12345678 abc123456789 abcd123456 abcd12345678 abcdef1234 abcdefghij as12345678
asd1234567 asdf123456 asdfasdfasdf asdfghjkl1 asdfghjkl123 asdfghjkl; azertyuiop baseball123 changeme123
chinachina computer123 football123 google1234 iloveyou12 iloveyou123 iloveyou1314 jordan2323 letmein123
liverpool1 michael123 mynoob1234 p@ssw0rd123 passw0rd123 password12 password123 password1234 princess123
q1w2e3r4t5 q1w2e3r4t5y6 qazwsx1234 qazwsxedc123 qazwsxedcrfv qqqqqq123456 qwe1234567 qwe123qwe123 qweasdzxc1
qweasdzxc123 qwer123456 qwer12345678 qwert12345 qwerty1234 qwerty12345 qwerty123456 qwertyuiop qwertyuiop123
qwertyuiop[] qwertyuiopasdfghjkl samsung123 sunshine123 superman123 taobao1234 trustno1trustno1 unknown123
wang123456 welcome123 welcome1234 wo123456789 woaini1314 woaini1314520 woaini5201314 woaini520520
woaiwojia1314 zhang123456 zxc1234567 zxcv123456 zxcvbnm,./ zxcvbnm123 zxcvbnm1234 zz12345678 zzzzzzzzzz
"""

_ROOTS = """
admin administrator changeme default guest iloveyou kameng letmein login manager master operator p@ssw0rd
passw0rd password qwerty qwertyuiop root secret staff superadmin superuser system welcome woaini
密码 我爱你 管理员
"""

WHOLE = frozenset(_WHOLE.split())
"""Whole passwords, casefolded."""

ROOTS = frozenset(_ROOTS.split())
"""Words that stay weak however many digits and signs stand around them, casefolded."""
