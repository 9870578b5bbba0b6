namespace VoiceGrains.Server.Tests.Negative;

/// <summary>One host for the whole suite, and one class at a time: snapshots are of everything that the host keeps.</summary>
[CollectionDefinition(Name)]
public sealed class NegativeCollection : ICollectionFixture<NegativeHost>
{
    public const string Name = "Negative";
}
