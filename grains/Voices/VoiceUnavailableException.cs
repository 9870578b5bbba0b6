namespace VoiceGrains.Grains.Voices;

/// <summary>A voice cannot speak: there is none of the name, its engine is not installed, or its provider's key is missing. The message is fit for clients.</summary>
public sealed class VoiceUnavailableException(string message) : Exception(message);
