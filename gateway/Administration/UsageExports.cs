using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Usage;

namespace VoiceGrains.Gateway.Administration;

/// <summary>
/// <c>GET /admin/usage</c>: CSV (RFC 4180, with a header) or one JSON object in each line, written as the database gives the rows. An answer that breaks off is
/// not complete: the connection is cut instead of ended.
/// </summary>
internal static class UsageExports
{
    private const int FlushAfter = 16 * 1024;

    private static readonly string[] DayColumns = ["account_id", "account_name", "date", "calls", "joined_calls", "failed_calls", "duration_seconds", "billed_minutes"];
    private static readonly string[] CallColumns = ["account_id", "call_id", "agent_id", "created", "joined", "ended", "end_reason", "duration_seconds", "billed_minutes", "deleted"];

    public static async Task ExportAsync(HttpContext context, UsageExport usage, TimeProvider clock, AdminAudit audit, CancellationToken cancellationToken)
    {
        var range = ReadRange(context.Request.Query, clock.GetUtcNow());
        var byCall = QueryText.ReadChoice(context.Request.Query, "by", "day", "call") == "call";
        var asJson = QueryText.ReadChoice(context.Request.Query, "format", "csv", "jsonl") == "jsonl";
        audit.Log(context, "export of the usage", range.AccountId, $"{range.From:u} to {range.To:u}");
        context.Response.ContentType = asJson ? "application/jsonl; charset=utf-8" : "text/csv; charset=utf-8";
        if (byCall) await WriteAsync(context.Response, usage.ReadCallsAsync(range, cancellationToken), asJson, CallColumns, Cells, cancellationToken);
        else await WriteAsync(context.Response, usage.ReadDaysAsync(range, cancellationToken), asJson, DayColumns, Cells, cancellationToken);
    }

    /// <summary>From the first of this month up to now, unless the query says otherwise; a date as the end includes that day.</summary>
    private static UsageRange ReadRange(IQueryCollection query, DateTimeOffset now)
    {
        var from = CallQuery.Instant(query, "from", endOfDay: false) ?? new DateTimeOffset(now.Year, now.Month, 1, 0, 0, 0, TimeSpan.Zero);
        var to = CallQuery.Instant(query, "to", endOfDay: true) ?? now;
        if (from > to) throw new InvalidInputException("from", "Must not be after 'to'.");
        Guid? account = QueryText.Read(query, "account") is not { } text ? null
            : Guid.TryParseExact(text, "D", out var id) ? id : throw new InvalidInputException("account", "Must be a valid UUID.");
        return new(from, to, account);
    }

    private static async Task WriteAsync<T>(
        HttpResponse response, IAsyncEnumerable<T> rows, bool asJson, string[] columns, Func<T, string?[]> cells, CancellationToken cancellationToken)
    {
        var lines = new StringBuilder();
        if (!asJson) AddCsv(lines, columns);
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            if (asJson) lines.Append(JsonSerializer.Serialize(row, WireJson.Options)).Append('\n');
            else AddCsv(lines, cells(row));
            if (lines.Length < FlushAfter) continue;
            await response.WriteAsync(lines.ToString(), cancellationToken);
            lines.Clear();
        }
        await response.WriteAsync(lines.ToString(), cancellationToken);
    }

    private static string?[] Cells(AccountDay day)
        => [day.AccountId, day.AccountName, day.Date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), Text(day.Calls), Text(day.JoinedCalls), Text(day.FailedCalls), Text(day.DurationSeconds), Text(day.BilledMinutes)];

    private static string?[] Cells(AccountCall call) =>
    [
        call.AccountId, call.CallId, call.AgentId, Text(call.Created), Text(call.Joined), Text(call.Ended), call.EndReason, Text(call.DurationSeconds), Text(call.BilledMinutes),
        call.Deleted ? "true" : "false",
    ];

    private static void AddCsv(StringBuilder lines, string?[] cells)
    {
        for (var i = 0; i < cells.Length; i++) lines.Append(i == 0 ? "" : ",").Append(Quote(cells[i] ?? ""));
        lines.Append("\r\n");
    }

    /// <summary>A spreadsheet takes what begins like a formula for one, in quotes or not: a name such as <c>=1+1</c> gets an apostrophe before it.</summary>
    private static string Quote(string cell)
    {
        if (cell.Length > 0 && cell[0] is '=' or '+' or '-' or '@' or '\t' or '\r') cell = "'" + cell;
        return cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell;
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static string? Text(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFK", CultureInfo.InvariantCulture);
}
