using System.Text.Json;
using System.Text.RegularExpressions;

namespace VoiceGrains.Server.Tests.Negative;

/// <summary>What no answer may be, whatever was asked.</summary>
internal static partial class AnswerJudge
{
    /// <summary>Null when the answer is as documented; otherwise what is wrong with it.</summary>
    public static string? Problem(ApiOperation operation, Answer answer, IEnumerable<string> secrets)
    {
        if (answer.Status >= 500 && (operation.IsServed || answer.Status != 501)) return "is a server error";
        if (Inside().Match(answer.Text) is { Success: true } leak) return $"tells of the inside: '{leak.Value}'";
        if (answer.Status >= 400 && secrets.Any(secret => answer.Text.Contains(secret, StringComparison.Ordinal))) return "repeats a secret";
        if (answer.IsHead) return answer.Text.Length == 0 ? null : "is an answer to HEAD with a body";
        if (answer.Status == 204) return answer.Text.Length == 0 ? null : "is a 204 with a body";
        if (answer.Status < 400) return SuccessProblem(answer);
        // Before there is a request that could be routed, the web server itself refuses it, and ends the connection.
        if (answer is { Status: 400 or 414 or 431, Text.Length: 0, IsLast: true }) return null;
        return ErrorProblem(operation, answer);
    }

    private static string? SuccessProblem(Answer answer) => answer.MediaType switch
    {
        "application/json" => IsJson(answer.Text, out _) ? null : "is not the JSON that it says it is",
        "application/yaml" or "application/vnd.oai.openapi" or "application/vnd.oai.openapi+json" or "audio/wav" => null,
        var type => $"has the content type '{type}'",
    };

    private static string? ErrorProblem(ApiOperation operation, Answer answer)
    {
        if (answer.MediaType != "application/json") return $"is an error of content type '{answer.MediaType}'";
        if (!IsJson(answer.Text, out var body)) return "is an error whose body is no JSON";
        if (body.ValueKind != JsonValueKind.Object && body.ValueKind != JsonValueKind.Array) return "is an error whose body is neither object nor list";
        if (body.ValueKind == JsonValueKind.Object && body.TryGetProperty("detail", out var detail) && detail.ValueKind == JsonValueKind.String)
        {
            if (operation.IsConnection && !(body.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String)) return "is no ErrorResponse";
            return string.IsNullOrWhiteSpace(detail.GetString()) ? "has an empty detail" : null;
        }
        if (operation.IsConnection) return answer.Status == 422 && IsProblemList(body) ? null : "is no HTTPValidationError";
        return answer.Status == 400 && IsTree(body) ? null : "is neither {\"detail\": ..} nor a tree of {\"field\": [\"..\"]}";
    }

    private static bool IsProblemList(JsonElement body)
        => body.ValueKind == JsonValueKind.Object && body.TryGetProperty("detail", out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            && list.EnumerateArray().All(problem => problem.GetProperty("loc").EnumerateArray().All(part => part.ValueKind is JsonValueKind.String or JsonValueKind.Number)
                && problem.GetProperty("msg").GetString() is { Length: > 0 } && problem.GetProperty("type").GetString() is { Length: > 0 });

    /// <summary>Objects and lists down to lists of messages.</summary>
    private static bool IsTree(JsonElement node) => node.ValueKind switch
    {
        JsonValueKind.Object => node.EnumerateObject().All(field => IsTree(field.Value)),
        JsonValueKind.Array => node.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String ? item.GetString()!.Length > 0 : IsTree(item)),
        _ => false,
    };

    private static bool IsJson(string text, out JsonElement json)
    {
        json = default;
        try
        {
            json = JsonDocument.Parse(text).RootElement;
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Stack traces, types, SQL and its states, connection strings, files.</summary>
    [GeneratedRegex(@"\bat (VoiceGrains|System|Microsoft|Npgsql)\.|Npgsql|Orleans|\bSystem\.[A-Z]|Exception\b|SQLSTATE|\b2[23]\d{3}: |Password=|Host=127|\.cs:line|/tmp/")]
    private static partial Regex Inside();
}

/// <param name="IsLast">Whether the server ends the connection with it.</param>
internal sealed record Answer(int Status, string? MediaType, string Text, IReadOnlyCollection<string> Allow, bool IsHead, bool IsLast);
