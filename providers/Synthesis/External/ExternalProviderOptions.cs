namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>What the options of every provider of external voices have in common.</summary>
/// <param name="baseUrl">The provider's public address.</param>
public abstract class ExternalProviderOptions(string baseUrl)
{
    /// <summary>Scheme, host and path before the provider's own, such as a proxy of yours. WebSocket providers take <c>ws</c> and <c>wss</c>.</summary>
    public string BaseUrl { get; set; } = baseUrl;

    /// <summary>Longest wait for a connection that is ready for text. Default 5 s.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait from sending text to the sound of it. Default 10 s.</summary>
    public TimeSpan FirstSoundTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest silence of the provider within its answer. Default 10 s.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest single message accepted. Default 4 MiB, over a minute of speech at 24 kHz in base64.</summary>
    public int MaxMessageBytes { get; set; } = 4 * 1024 * 1024;
}
