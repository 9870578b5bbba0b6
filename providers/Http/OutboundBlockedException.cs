namespace VoiceGrains.Providers.Http;

/// <summary>A tenant's URL leads where it may not. The message names the rule and is fit for the tenant.</summary>
public sealed class OutboundBlockedException(string message) : HttpRequestException(message);
