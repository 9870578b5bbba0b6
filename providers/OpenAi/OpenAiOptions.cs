using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Providers.OpenAi;

/// <summary>
/// A server that speaks OpenAI's HTTP API: OpenAI itself, vLLM (also with Ultravox's open weights), llama.cpp, Ollama, LiteLLM, ... One entry serves chat,
/// transcription and speech, as far as the server has them.
/// </summary>
public sealed class OpenAiOptions
{
    /// <summary>Up to and with the version, for example <c>https://api.openai.com/v1</c>. Set by the operator, so private addresses are allowed.</summary>
    [Required] public string BaseUrl { get; set; } = "";

    /// <summary>Sent as bearer token when set. Never logged and cut out of error texts.</summary>
    public string? ApiKey { get; set; }

    /// <summary>More headers for each request, for example <c>OpenAI-Organization</c>.</summary>
    public Dictionary<string, string> Headers { get; set; } = [];

    /// <summary>Whether the chat model hears: the user's latest turn then goes as an <c>input_audio</c> part (16 kHz WAV) instead of as recognized text.</summary>
    public bool AcceptsAudio { get; set; }

    /// <summary>The request field for the most tokens to generate. Default <c>max_tokens</c>; newer OpenAI models want <c>max_completion_tokens</c>.</summary>
    public string MaxTokensField { get; set; } = "max_tokens";

    /// <summary>From sending a request to its first word, sound or text; connecting and one retry included. Default 10 s.</summary>
    public TimeSpan FirstOutputTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest silence within an answer. Default 10 s.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest whole request. Default 2 min.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>Longest wait before the one retry, also when the server asks for more in <c>Retry-After</c> (then the request fails at once). Default 2 s.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(2);
}
