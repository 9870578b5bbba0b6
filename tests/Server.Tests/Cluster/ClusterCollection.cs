namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>One cluster for classes that run one after the other: its processes take longer to start than most tests to run.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterCollection : ICollectionFixture<SharedCluster>
{
    public const string Name = "Cluster";
}
