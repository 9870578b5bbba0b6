using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Connection;

/// <summary>What is wrong with a request, as the connection API tells it: <c>HTTPValidationError</c>, a list of places, messages and kinds.</summary>
internal sealed class RequestProblems
{
    private readonly JsonArray _list = [];

    public bool Any => _list.Count > 0;

    /// <param name="place">From the body down; names and indexes.</param>
    /// <param name="message">For people.</param>
    /// <param name="type">For programs, such as <c>missing</c>.</param>
    public void Add(IEnumerable<string> place, string message, string type)
    {
        if (_list.Count >= InputErrors.MaxProblems) return;
        _list.Add(new JsonObject
        {
            ["loc"] = new JsonArray([.. place.Prepend("body").Select(part => (JsonNode)part)]),
            ["msg"] = message,
            ["type"] = type,
        });
    }

    /// <exception cref="UnprocessableException">When there is a problem.</exception>
    public void ThrowIfAny()
    {
        if (Any) throw new UnprocessableException(this);
    }

    public JsonObject ToJson() => new() { ["detail"] = _list.DeepClone() };

    /// <summary>One problem.</summary>
    public static UnprocessableException Single(IEnumerable<string> place, string message, string type)
    {
        var problems = new RequestProblems();
        problems.Add(place, message, type);
        return new(problems);
    }

    /// <summary>Problems that were found further in, each told at the place of the request that it follows from.</summary>
    public static RequestProblems From(InputErrors errors)
    {
        var problems = new RequestProblems();
        Collect(errors.ToJson(), [], problems);
        return problems;
    }

    private static void Collect(JsonNode? node, IReadOnlyList<string> path, RequestProblems problems)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach (var (name, child) in fields) Collect(child, name == InputErrors.NonField ? path : [.. path, name], problems);
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    if (items[i] is JsonValue text) Tell(path, text.GetValue<string>(), problems);
                    else Collect(items[i], [.. path, $"{i}"], problems);
                }
                break;
        }
    }

    private static void Tell(IReadOnlyList<string> path, string message, RequestProblems problems)
    {
        const string type = "value_error";
        switch (path)
        {
            case ["templateContext", ..]:
                problems.Add(["dynamic_variables", .. path.Skip(1)], message, type);
                break;
            case ["voice"] or ["voiceOverrides", ..]:
                problems.Add(["agent_overrides", "tts_params", "voice_id"], message, type);
                break;
            default:
                // The agent's own template, as the variables have filled it.
                problems.Add(["agent_id"], path.Count == 0 ? message : $"{string.Join('.', path)}: {message}", type);
                break;
        }
    }
}

/// <summary>Answered with 422 and every problem.</summary>
internal sealed class UnprocessableException(RequestProblems problems) : Exception("The request is wrong.")
{
    public RequestProblems Problems { get; } = problems;
}
