namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>One cluster whose calls do not wait long for a client to come back.</summary>
[CollectionDefinition(Name)]
public sealed class ShortGraceCollection : ICollectionFixture<ShortGraceCluster>
{
    public const string Name = "Cluster with a short grace";
}
