namespace VoiceGrains.Providers;

/// <summary>What went wrong at a provider. Decides whether a retry makes sense and what the call event says.</summary>
public enum ProviderFault : byte { Unreachable, TimedOut, Rejected, RateLimited, ServerError, BrokeOff, BadAnswer, Unavailable }

/// <summary>A model, recognizer or synthesizer failed. The message is fit for a call event: provider, status and its own words, never a key.</summary>
public sealed class ProviderException(string provider, ProviderFault fault, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The configured provider's name, for example <c>openai</c> or <c>flite</c>.</summary>
    public string Provider => provider;

    public ProviderFault Fault => fault;

    /// <summary>HTTP status where there was one.</summary>
    public int? Status { get; init; }

    /// <summary>What the provider asked us to wait before a retry.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
