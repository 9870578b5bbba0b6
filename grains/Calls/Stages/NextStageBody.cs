using System.Text.Json;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Calls.Stages;

/// <summary>
/// What a tool answers with the response type <c>new-stage</c>: some fields of a call's creation, read by the same rules, and <c>toolResultText</c>.
/// Fields that no stage can change (a tool may well answer with a whole call) and unknown ones are left aside and told.
/// </summary>
/// <param name="Fields">Null stands for what is inherited, an empty text or list for none.</param>
/// <param name="ToolResultText">Null where the body has none.</param>
internal sealed record NextStageBody(StartCallRequest Fields, string? ToolResultText, IReadOnlyList<string> Ignored)
{
    private const string ToolResult = "toolResultText";

    /// <summary>More are not listed.</summary>
    private const int MostIgnored = 20;

    private static readonly HashSet<string> Changeable =
    [
        "systemPrompt", "temperature", "voice", "externalVoice", "voiceOverrides", "languageHint", "initialMessages", "selectedTools", "vadSettings",
        "timeExceededMessage", "inactivityMessages", "experimentalSettings", "initialState",
    ];

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <exception cref="InvalidInputException">With everything that is wrong.</exception>
    public static NextStageBody Read(string text)
    {
        using var document = Parse(text);
        var body = document.RootElement;
        if (body.ValueKind != JsonValueKind.Object) throw NotAnObject("The body must be a JSON object.");
        var fields = new Dictionary<string, JsonElement>();
        var (ignored, errors, result) = (new List<string>(), new InputErrors(), (string?)null);
        foreach (var property in body.EnumerateObject())
        {
            if (!JsonLeaf.TryName(property, out var name)) errors.AddNonField("A field's name is not valid text.");
            else if (name == ToolResult) result = ReadText(property.Value, errors.Field(ToolResult));
            else if (Changeable.Contains(name)) fields[name] = property.Value;
            else if (ignored.Count < MostIgnored) ignored.Add(JsonLeaf.Shorten(name));
        }
        if (!JsonRequestReader.TryRead<StartCallRequest>(JsonSerializer.SerializeToElement(fields), errors, out var request)) throw new InvalidInputException(errors);
        return new NextStageBody(request, result, ignored);
    }

    private static JsonDocument Parse(string text)
    {
        try
        {
            return JsonDocument.Parse(text, Strict);
        }
        catch (Exception wrong) when (wrong is JsonException or ArgumentException or InvalidOperationException)
        {
            throw NotAnObject($"The body is not valid JSON: {wrong.Message}");
        }
    }

    private static string? ReadText(JsonElement value, InputErrors errors)
    {
        if (value.ValueKind == JsonValueKind.Null) return null;
        if (JsonLeaf.TextProblem(value) is not { } problem) return value.GetString();
        errors.Add(problem);
        return null;
    }

    private static InvalidInputException NotAnObject(string message) => new(InputErrors.NonField, message);
}
