using System.Text;
using System.Text.Json;

namespace VoiceGrains.Providers.Language.OpenAi;

/// <summary>Reads the events of one streamed chat completion. Tool calls come in pieces by index and are given whole at the end.</summary>
/// <remarks>Throws <see cref="ProviderException"/> for what it cannot make sense of. Pure: knows no connection.</remarks>
internal sealed class ChatStream(string provider, Func<ReadOnlyMemory<byte>, string> errorText)
{
    private const int MostToolCalls = 64;
    private const int MostToolCallCharacters = 1_000_000;

    private readonly SortedDictionary<int, PartialCall> _calls = [];
    private string? _finishReason;
    private ModelDelta.Usage? _usage;
    private int _toolCharacters;

    /// <summary>Whether the server said that it is done (<c>[DONE]</c>).</summary>
    public bool IsDone { get; private set; }

    /// <summary>Whether any words or tool calls have come.</summary>
    public bool HasOutput { get; private set; }

    /// <summary>Takes in one event; gives its words, or null where it has none.</summary>
    public ModelDelta.Text? Read(ReadOnlyMemory<byte> data)
    {
        if (data.Span.SequenceEqual("[DONE]"u8))
        {
            IsDone = true;
            return null;
        }
        try
        {
            using var document = JsonDocument.Parse(data);
            return ReadChunk(document.RootElement, data);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)   // not JSON, or of another shape
        {
            throw Bad($"an event that is no chat completion chunk ({exception.Message})", exception);
        }
    }

    /// <summary>What follows the last word: whole tool calls in order, then usage.</summary>
    /// <exception cref="ProviderException"><see cref="ProviderFault.BrokeOff"/> when the answer is not finished.</exception>
    public IEnumerable<ModelDelta> Finish()
    {
        if (!IsDone && _finishReason is null)
            throw new ProviderException(provider, ProviderFault.BrokeOff, $"{provider} ended its answer without finishing it.");
        if (_finishReason == "content_filter" && !HasOutput)
            throw new ProviderException(provider, ProviderFault.Rejected, $"{provider} withheld its answer (content filter).");
        foreach (var (index, call) in _calls)
        {
            if (call.Name.Length == 0) throw Bad("a tool call without a name");
            yield return new ModelDelta.ToolCall(call.Id ?? $"call_{Guid.NewGuid():N}", call.Name.ToString(), call.Arguments.Length > 0 ? call.Arguments.ToString() : "{}");
        }
        if (_usage is not null) yield return _usage;
    }

    private ModelDelta.Text? ReadChunk(JsonElement chunk, ReadOnlyMemory<byte> data)
    {
        if (chunk.TryGetProperty("error", out var error) && error.ValueKind != JsonValueKind.Null)
            throw new ProviderException(provider, ProviderFault.ServerError, $"{provider} failed within its answer: {errorText(data)}");
        if (chunk.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
            _usage = new(Number(usage, "prompt_tokens"), Number(usage, "completion_tokens"));
        if (!chunk.TryGetProperty("choices", out var choices) || choices.GetArrayLength() == 0) return null;

        var choice = choices[0];
        if (choice.TryGetProperty("finish_reason", out var reason) && reason.ValueKind == JsonValueKind.String) _finishReason = reason.GetString();
        if (!choice.TryGetProperty("delta", out var delta) || delta.ValueKind != JsonValueKind.Object) return null;
        if (delta.TryGetProperty("tool_calls", out var calls) && calls.ValueKind == JsonValueKind.Array)
        {
            foreach (var call in calls.EnumerateArray())
                AddToolCall(call);
        }
        if (!delta.TryGetProperty("content", out var content) || content.GetString() is not { Length: > 0 } words) return null;
        HasOutput = true;
        return new(words);
    }

    private void AddToolCall(JsonElement piece)
    {
        var id = piece.TryGetProperty("id", out var i) ? i.GetString() : null;
        var call = FindCall(piece, id);
        if (!string.IsNullOrEmpty(id)) call.Id ??= id;
        if (!piece.TryGetProperty("function", out var function) || function.ValueKind != JsonValueKind.Object) return;
        Append(call.Name, function, "name");
        Append(call.Arguments, function, "arguments");
        HasOutput = true;
    }

    /// <summary>By index; servers that leave it out begin a new call with each new id.</summary>
    private PartialCall FindCall(JsonElement piece, string? id)
    {
        var last = _calls.Count > 0 ? _calls.Keys.Last() : -1;
        var index = piece.TryGetProperty("index", out var number) && number.ValueKind == JsonValueKind.Number ? number.GetInt32()
            : last < 0 || (!string.IsNullOrEmpty(id) && _calls[last].Id != id) ? last + 1 : last;
        if (_calls.TryGetValue(index, out var known)) return known;
        if (_calls.Count == MostToolCalls) throw Bad($"more than {MostToolCalls} tool calls");
        return _calls[index] = new();
    }

    private void Append(StringBuilder to, JsonElement function, string name)
    {
        if (!function.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return;
        var text = value.ValueKind == JsonValueKind.Object ? value.GetRawText() : value.GetString() ?? "";   // some servers give arguments as an object
        _toolCharacters += text.Length;
        if (_toolCharacters > MostToolCallCharacters) throw Bad($"tool calls of more than {MostToolCallCharacters} characters");
        to.Append(text);
    }

    private static int Number(JsonElement of, string name)
        => of.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : 0;

    private ProviderException Bad(string what, Exception? inner = null) => new(provider, ProviderFault.BadAnswer, $"{provider} sent {what}.", inner);

    private sealed class PartialCall
    {
        public string? Id { get; set; }
        public StringBuilder Name { get; } = new();
        public StringBuilder Arguments { get; } = new();
    }
}
