namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>One Chromium at a time: two would keep each other waiting.</summary>
[CollectionDefinition(Name)]
public static class BrowserCollection
{
    public const string Name = "Browsers";
}
