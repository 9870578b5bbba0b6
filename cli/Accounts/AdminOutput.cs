using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace VoiceGrains.Cli.Accounts;

/// <summary>Accounts and keys for a person, or as they came.</summary>
internal static class AdminOutput
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] AccountColumns = ["ACCOUNT", "NAME", "PLAN", "STATE", "KEYS", "AGENTS", "ACTIVE", "MOST", "CALLS", "KEEPS", "CREATED"];
    private static readonly string[] KeyColumns = ["KEY", "NAME", "STATE", "EXPIRES", "LAST USED", "CREATED"];

    public static string Json(JsonNode answer) => answer.ToJsonString(Indented);

    public static string Accounts(JsonArray accounts, int total)
    {
        if (accounts.Count == 0) return "No account.";
        var table = TextTable.Text([AccountColumns, .. accounts.Select(account => AccountRow(account!))]);
        return accounts.Count < total ? $"{table}\n\n{accounts.Count} of {total} accounts; --limit shows more." : table;
    }

    public static string Account(JsonNode account) => Accounts([account.DeepClone()], 1);

    public static string Keys(JsonArray keys, DateTimeOffset now)
        => keys.Count == 0 ? "No key." : TextTable.Text([KeyColumns, .. keys.Select(key => KeyRow(key!, now))]);

    /// <summary>The only time that the secret is shown.</summary>
    public static string NewKey(JsonNode key) => $"""
          account   {(string)key["accountId"]!}
          API key   {(string)key["secret"]!}
          expires   {Time(key["expiryDate"]) ?? "never"}

        The key is shown only now: nobody can read it again.
        """;

    public static string KeepsText(JsonNode account) => (int?)account["retentionDays"] switch { null => "default", 0 => "for ever", 1 => "1 day", { } days => $"{days} days" };

    private static string[] AccountRow(JsonNode account) =>
    [
        (string)account["accountId"]!, (string)account["name"]!, (string)account["plan"]!, account["disabled"] is null ? "enabled" : "disabled",
        $"{(int)account["apiKeys"]!}", $"{(int)account["agents"]!}", $"{(int)account["activeCalls"]!}", (int?)account["allowedConcurrentCalls"] is { } most ? $"{most}" : "plan", $"{(long)account["calls"]!}", KeepsText(account), Time(account["created"])!,
    ];

    private static string[] KeyRow(JsonNode key, DateTimeOffset now) =>
    [
        (string)key["prefix"]!, (string)key["name"]!, State(key, now), Time(key["expiryDate"]) ?? "never", Time(key["lastUsed"]) ?? "never", Time(key["created"])!,
    ];

    private static string State(JsonNode key, DateTimeOffset now)
        => key["revoked"] is not null ? "revoked" : (DateTimeOffset?)key["expiryDate"] <= now ? "expired" : "works";

    private static string? Time(JsonNode? time) => ((DateTimeOffset?)time)?.UtcDateTime.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
}
