namespace VoiceGrains.Server.Tests.Negative;

/// <summary>Text that has broken servers before.</summary>
internal static class HostileText
{
    /// <summary>JSON strings with their quotes: some can be written only as escapes, and one is no Unicode at all.</summary>
    public static readonly string[] JsonStrings =
    [
        "\"' or 1=1; drop table calls; --\"", "\"\\\"; select pg_sleep(10); --\"", "\"%' escape '\\\\\"", "\"$1 {0} %s %n \\\\x27\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
        "\"a\\u0000b\"", "\"\\uffff\\ufffe\"", "\"\\u202egnp.exe\\u202c\"", "\"\U0001F469\u200D\U0001F469\u200D\U0001F467 \U0002070E \U0010FFFF\"",
        "\"Z\\u0335\\u0321\\u0322\\u031b\\u0317\\u0318\u0065\u0301\"", "\"\\u0001\\u001f\\u007f\\u0085\\u2028\\u2029\"", "\"\\r\\nX-Injected: 1\\r\\n\\r\\n\"", "\"../../../etc/passwd\"",
        "\"{{constructor}} {{#each}} ${7*7} <script>alert(1)</script>\"", "\"\"", "\"   \"", "\"" + new string('x', 70_000) + "\"",
    ];

    /// <summary>JSON that is no string, in the place of any value.</summary>
    public static readonly string[] JsonValues =
    [
        "null", "true", "[]", "{}", "-1", "0", "1e400", "-1e400", "1e-400", "99999999999999999999999999", "-9223372036854775809", "0.1", "[[[[[[[[]]]]]]]]", "{\"\":{\"\":null}}", "[null]", "[{}]",
        "\"99999999999999999999s\"", "\"-1s\"", "\"1e3s\"", "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.999999999-23:59\"", "\"0000-00-00T00:00:00Z\"", "\"00000000-0000-0000-0000-000000000000\"",
    ];

    /// <summary>As they stand in a path or a query: escaped, since HTTP allows no other form, some of them wrongly.</summary>
    public static readonly string[] Escaped =
    [
        "%27%20or%201%3D1%3B%20drop%20table%20calls%3B--", "%22%3B%20select%20pg_sleep(10)%3B--", "%25%27%20escape%20%27%5C", "%00", "a%00b", "%ED%A0%80", "%C0%AF..", "%FF%FE", "%EF%BF%BF",
        "%E2%80%AEgnp.exe", "%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7", "%F4%8F%BF%BF", "Z%CC%B5%CC%A1%CC%A2", "%0D%0AX-Injected:%201", "..%2F..%2Fetc%2Fpasswd", "..%5C..", "%252e%252e", "%", "%zz", "%u0041",
        "-1", "0", "1e400", "NaN", "99999999999999999999999999", "2147483648", "true", "null", "undefined", "[]", "%7B%7D", "+", "%20", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59.9999999-14:00",
        "2026-02-30", "24:00:00", "1s", "-1s", "922337203685477s", "00000000-0000-0000-0000-000000000000", "{11111111-2222-3333-4444-555555555555}", "11111111222233334444555555555555",
        "11111111-2222-3333-4444-55555555555g", new string('x', 3_000),
    ];

    public static readonly string[] Cursors =
    [
        "x", "!!!", "%00", "W10", "WzFd", "bnVsbA", "WyIiLCJmIiwiIiwiIl0", "WyItY3JlYXRlZCIsImYiLCJub3QgYSB0aW1lIiwieCJd", "WyJjcmVhdGVkIiwiYiIsIlxkODAwIiwieCJd",
        "WyItY3JlYXRlZCIsImYiLCJhXHUwMDAwYiIsIngiXQ", "eyJhIjoxfQ", "IuKYgyI", "____", "%2B%2F%3D%3D", new string('A', 3_000), "-1", "0", "cD0yMDI2LTAxLTAx",
    ];

    public static readonly string[] PageSizes = ["-1", "0", "2147483647", "2147483648", "99999999999999999999", "1.5", "1e3", "NaN", "abc", "%00", "+5", "%205", "0x10", "%D9%A5", "1,2"];

    /// <summary>Bodies that are no JSON; each is refused with "JSON parse error".</summary>
    public static readonly string[] BrokenJson =
    [
        "{", "}", "{\"a\":1,}", "{'a':1}", "nonsense", "{\"a\":1} extra", "{\"a\":1,\"a\":2}", "{\"b\":{\"a\":1,\"a\":2}}", "{\"\\ud800\":1}", "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":-}", "{\"a\":01}", "{\"a\":0x1}",
        "{\"a\":\"", "{\"a\":\"\t\"}", "{\"a\":\"\\x41\"}", "{\"a\":tru", "// comment\n{}", "{\"a\":1e}", new string('[', 100), string.Concat(Enumerable.Repeat("{\"a\":", 100)), " ", "\u0000",
    ];

    public static readonly (string Json, string Kind)[] WrongTops = [("[]", "list"), ("null", "null"), ("1", "int"), ("1.5e3", "float"), ("\"x\"", "str"), ("true", "bool"), ("[{}]", "list")];
}
