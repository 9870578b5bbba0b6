using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using VoiceGrains.Providers.Audio;
using VoiceGrains.Providers.OpenAi;

namespace VoiceGrains.Providers.Language.OpenAi;

/// <summary>
/// Writes a request as a chat completion. The API wants each assistant message with tool calls to be followed by all of their results at once, so results
/// are moved up to their calls, and a call that has none yet gets a placeholder.
/// </summary>
internal sealed class ChatRequestWriter
{
    private const int SpeechSampleRateHz = 16_000;   // ChatMessage.Audio
    private const string NoResultYet = "(no result yet)";

    private readonly ModelRequest _request;
    private readonly OpenAiOptions _options;
    private readonly Utf8JsonWriter _json;
    private readonly int _lastAgentMessage;
    private readonly HashSet<int> _writtenResults = [];

    private ChatRequestWriter(ModelRequest request, OpenAiOptions options, Utf8JsonWriter json)
    {
        (_request, _options, _json) = (request, options, json);
        _lastAgentMessage = request.Messages.Index().LastOrDefault(m => m.Item.Role == ChatRole.Agent, (-1, null!)).Item1;
    }

    public static ReadOnlyMemory<byte> Write(ModelRequest request, OpenAiOptions options)
    {
        var body = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(body, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            new ChatRequestWriter(request, options, json).WriteAll();
        return body.WrittenMemory;
    }

    private void WriteAll()
    {
        _json.WriteStartObject();
        _json.WriteString("model", _request.Model);
        _json.WriteBoolean("stream", true);
        _json.WriteStartObject("stream_options");
        _json.WriteBoolean("include_usage", true);
        _json.WriteEndObject();
        _json.WriteNumber("temperature", _request.Temperature);
        if (_request.MaxOutputTokens is { } most) _json.WriteNumber(_options.MaxTokensField, most);
        _json.WriteStartArray("messages");
        if (!string.IsNullOrEmpty(_request.SystemPrompt)) WriteText("system", _request.SystemPrompt);
        for (var i = 0; i < _request.Messages.Count;)
            i = WriteMessage(i);
        _json.WriteEndArray();
        if (_request.Tools.Count > 0) WriteTools();
        _json.WriteEndObject();
    }

    /// <summary>Writes the message at <paramref name="at"/> with those that belong to it; gives the next one to write.</summary>
    private int WriteMessage(int at)
    {
        var message = _request.Messages[at];
        switch (message.Role)
        {
            case ChatRole.User when HearsAudioOf(at):
                WriteAudio(message);
                return at + 1;
            case ChatRole.User:
                WriteText("user", message.Text);
                return at + 1;
            case ChatRole.Agent or ChatRole.ToolCall:
                return WriteAssistant(at);
            case ChatRole.ToolResult:
                if (!_writtenResults.Contains(at)) WriteText("system", $"Result of the tool {message.ToolName}: {message.Text}");
                return at + 1;
            default:
                WriteText("system", message.Text);
                return at + 1;
        }
    }

    /// <summary>Older turns whose words are known go as words: sound costs far more tokens, and the model has already answered it.</summary>
    private bool HearsAudioOf(int at)
        => _options.AcceptsAudio && !_request.Messages[at].Audio.IsEmpty && (at > _lastAgentMessage || _request.Messages[at].Text.Length == 0);

    private int WriteAssistant(int at)
    {
        var text = _request.Messages[at].Role == ChatRole.Agent ? _request.Messages[at].Text : null;
        var firstCall = text is null ? at : at + 1;
        var next = firstCall;
        while (next < _request.Messages.Count && _request.Messages[next].Role == ChatRole.ToolCall)
            next++;

        _json.WriteStartObject();
        _json.WriteString("role", "assistant");
        if (text is not null || next > firstCall) _json.WriteString("content", text);
        if (next > firstCall)
        {
            _json.WriteStartArray("tool_calls");
            for (var i = firstCall; i < next; i++)
                WriteToolCall(i);
            _json.WriteEndArray();
        }
        _json.WriteEndObject();
        for (var i = firstCall; i < next; i++)
            WriteResultOf(i);
        return next;
    }

    private void WriteToolCall(int at)
    {
        _json.WriteStartObject();
        _json.WriteString("id", IdOf(at));
        _json.WriteString("type", "function");
        _json.WriteStartObject("function");
        _json.WriteString("name", ReadableName(_request.Messages[at].ToolName));
        _json.WriteString("arguments", ReadableArguments(_request.Messages[at].Text));
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    /// <summary>As the API wants names, also where a model made one up.</summary>
    private static string ReadableName(string? name)
        => name is not { Length: > 0 } ? "unknown" : string.Concat(name.Take(64).Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '_'));

    /// <summary>What a model wrote as arguments may be no JSON. It was told so, but servers that parse its history would refuse all further requests.</summary>
    private static string ReadableArguments(string text)
    {
        try
        {
            using var parsed = JsonDocument.Parse(text);
            if (parsed.RootElement.ValueKind == JsonValueKind.Object) return text;
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            // No JSON, or not even text.
        }
        return "{}";
    }

    private void WriteResultOf(int call)
    {
        var id = _request.Messages[call].InvocationId;
        var result = -1;
        for (var i = call + 1; i < _request.Messages.Count && result < 0 && id is not null; i++)
        {
            if (_request.Messages[i] is { Role: ChatRole.ToolResult } message && message.InvocationId == id && !_writtenResults.Contains(i)) result = i;
        }
        if (result >= 0) _writtenResults.Add(result);
        _json.WriteStartObject();
        _json.WriteString("role", "tool");
        _json.WriteString("tool_call_id", IdOf(call));
        _json.WriteString("content", result >= 0 ? _request.Messages[result].Text : NoResultYet);
        _json.WriteEndObject();
    }

    private string IdOf(int call) => _request.Messages[call].InvocationId ?? $"call_{call}";

    private void WriteText(string role, string text)
    {
        _json.WriteStartObject();
        _json.WriteString("role", role);
        _json.WriteString("content", text);
        _json.WriteEndObject();
    }

    private void WriteAudio(ChatMessage message)
    {
        _json.WriteStartObject();
        _json.WriteString("role", "user");
        _json.WriteStartArray("content");
        _json.WriteStartObject();
        _json.WriteString("type", "input_audio");
        _json.WriteStartObject("input_audio");
        _json.WriteBase64String("data", Wav.Encode(message.Audio.Span, SpeechSampleRateHz));
        _json.WriteString("format", "wav");
        _json.WriteEndObject();
        _json.WriteEndObject();
        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    private void WriteTools()
    {
        _json.WriteStartArray("tools");
        foreach (var tool in _request.Tools)
        {
            _json.WriteStartObject();
            _json.WriteString("type", "function");
            _json.WriteStartObject("function");
            _json.WriteString("name", tool.Name);
            _json.WriteString("description", tool.Description);
            _json.WritePropertyName("parameters");
            tool.Parameters.WriteTo(_json);
            _json.WriteEndObject();
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
    }
}
