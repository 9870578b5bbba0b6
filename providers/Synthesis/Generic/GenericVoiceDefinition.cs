using System.Text.Json.Nodes;

namespace VoiceGrains.Providers.Synthesis.Generic;

/// <summary>How audio bytes are written into a JSON string.</summary>
public enum AudioTextEncoding : byte { Base64, Hex }

/// <summary>A tenant's REST voice, <c>ultravox.v1.GenericVoice</c> (voices: bring your own).</summary>
public sealed record GenericVoiceDefinition
{
    /// <summary>Where each sentence is posted. Goes through the outbound guard.</summary>
    public required string Url { get; init; }

    /// <summary>Sent with each request; may replace <c>Content-Type</c>.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>The JSON body. <c>{text}</c> in any string in it, however deep, becomes the words to speak.</summary>
    public required JsonObject Body { get; init; }

    /// <summary>Rate of raw PCM in Hz; a WAV header's own rate wins. 0 where only WAV comes.</summary>
    public int ResponseSampleRate { get; init; }

    /// <summary>Speaking rate to guess transcript timing with while sound streams in. Default 150.</summary>
    public int ResponseWordsPerMinute { get; init; } = 150;

    /// <summary>What the answer really is, where its <c>Content-Type</c> is wrong.</summary>
    public string? ResponseMimeType { get; init; }

    /// <summary>Where the audio is in JSON answers: members with dots, array elements by number or all of them (<c>result.audioContent</c>, <c>audios</c>).</summary>
    public string? JsonAudioFieldPath { get; init; }

    /// <summary>How the audio is written there. Default base64.</summary>
    public AudioTextEncoding JsonByteEncoding { get; init; }
}
