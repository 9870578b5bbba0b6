namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>Sound is measured when nothing else keeps the browser waiting: after all other tests.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class SoundCollection
{
    public const string Name = "Sound";
}
