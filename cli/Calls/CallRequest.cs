using System.Text.Json.Nodes;

namespace VoiceGrains.Cli.Calls;

/// <summary>What to create. What is null is left to the server's default, or to the agent's template.</summary>
internal sealed record CallRequest
{
    public string? AgentId { get; init; }
    public string? Prompt { get; init; }
    public string? Voice { get; init; }
    public string? Model { get; init; }

    /// <summary>True: the agent greets first; false: it waits for the user; null: as the agent's template says.</summary>
    public bool? AgentSpeaksFirst { get; init; }

    public bool Record { get; init; }

    /// <summary>The call is joined by a WebRTC client, not by a WebSocket; the next two are then of no meaning.</summary>
    public bool IsWebRtc { get; init; }

    /// <summary>PCM rate both ways.</summary>
    public int SampleRateHz { get; init; } = 16_000;

    /// <summary>How far ahead the server may send. Null: its default, 60 ms.</summary>
    public int? ClientBufferMs { get; init; }

    public JsonObject ToJson()
    {
        var medium = new JsonObject
        {
            ["inputSampleRate"] = SampleRateHz,
            ["outputSampleRate"] = SampleRateHz,
            ["dataMessages"] = new JsonObject
            {
                ["callEvent"] = true, ["toolUsed"] = true, ["invokingTool"] = true, ["userStartedSpeaking"] = true, ["userStoppedSpeaking"] = true,
            },
        };
        if (ClientBufferMs is { } buffer)
            medium["clientBufferSizeMs"] = buffer;

        var call = new JsonObject { ["medium"] = IsWebRtc ? new JsonObject { ["webRtc"] = new JsonObject() } : new JsonObject { ["serverWebSocket"] = medium } };
        if (Record)
            call["recordingEnabled"] = true;
        if (AgentSpeaksFirst is { } agentFirst)
            call["firstSpeakerSettings"] = new JsonObject { [agentFirst ? "agent" : "user"] = new JsonObject() };
        if (AgentId is not null)
            return call;        // the agent's template decides the rest
        call["systemPrompt"] = Prompt ?? "You are a friendly voice assistant. Answer in one or two short sentences.";
        if (Voice is not null)
            call["voice"] = Voice;
        if (Model is not null)
            call["model"] = Model;
        return call;
    }
}
