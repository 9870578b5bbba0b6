namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>A voice of the installation.</summary>
/// <param name="Name">What a request names, which is its language: <c>en-us</c>, <c>de</c>. A variant may follow: <c>en-us+f3</c>.</param>
/// <param name="Title">Its name for people: <c>German</c>.</param>
public sealed record EspeakVoice(string Name, string Title);
