using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools;

/// <summary>Reads and checks what a model wrote as a tool's arguments.</summary>
internal static class ToolArguments
{
    /// <summary>Characters; longer arguments are refused.</summary>
    public const int Longest = 64 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <summary>
    /// Checks the arguments against the tool's whole schema. What the tool has no parameter for is left out, and null for an optional parameter that
    /// takes none is as good as absent: models write both, and neither is worth another round.
    /// </summary>
    /// <param name="tool">The tool that is called.</param>
    /// <param name="text">As the model wrote it; nothing is as good as <c>{}</c>.</param>
    /// <param name="arguments">The arguments when the result is true.</param>
    /// <param name="problem">Otherwise everything that is wrong, by path, in words for the model.</param>
    public static bool TryRead(CallTool tool, string text, out JsonObject arguments, out string problem)
    {
        arguments = [];
        if (Parse(text, out problem) is not { } given) return false;
        var schema = ToolSchema.ArgumentsOf(tool);
        foreach (var (name, rule) in schema["properties"]!.AsObject())
        {
            if (!given.TryGetPropertyValue(name, out var value)) continue;
            if (value is null && !IsRequired(schema, name) && ContextSchema.Check(rule!, null).Count > 0) continue;
            arguments[name] = value?.DeepClone();
        }
        problem = Check(schema, arguments);
        return problem.Length == 0;
    }

    private static JsonObject? Parse(string text, out string problem)
    {
        problem = "";
        if (string.IsNullOrWhiteSpace(text)) return [];
        if (text.Length > Longest)
        {
            problem = $"The arguments are longer than {Longest} characters.";
            return null;
        }
        try
        {
            if (JsonNode.Parse(text, documentOptions: Strict) is JsonObject given)
            {
                JsonText.ReadAll(given);
                return given;
            }
            problem = "The arguments must be a JSON object.";
        }
        catch (JsonException exception)
        {
            problem = $"The arguments are not valid JSON{(exception.BytePositionInLine is { } at ? $" (line {exception.LineNumber + 1}, position {at + 1})" : "")}. Call the tool again with a JSON object.";
        }
        catch (Exception exception) when (exception is InvalidOperationException or ArgumentException)
        {
            problem = "The arguments hold text that is not valid Unicode.";
        }
        return null;
    }

    private static string Check(JsonObject schema, JsonObject arguments)
    {
        try
        {
            var problems = ContextSchema.Check(schema, arguments);
            return problems.Count == 0 ? "" : $"The arguments do not fit the tool. {string.Join(" ", problems)}";
        }
        catch (RegexMatchTimeoutException)
        {
            return "An argument is too long for its pattern.";
        }
    }

    private static bool IsRequired(JsonObject schema, string name) => schema["required"] is JsonArray required && required.Any(item => item!.GetValue<string>() == name);
}
