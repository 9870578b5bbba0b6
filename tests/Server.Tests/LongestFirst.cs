using VoiceGrains.Server.Tests.Cluster;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(VoiceGrains.Server.Tests.LongestFirst))]

namespace VoiceGrains.Server.Tests;

/// <summary>Classes that start processes take minutes and begin first: one that began last would be waited for alone.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private const int First = 8;

    private static readonly string[] Long =
    [
        ClusterCollection.Name, ".RollingRestartTests", ".LocalClusterTests", ".ClusterOutageTests", ".WatchOutageTests", ShortGraceCollection.Name, ".ProviderFaultTests",
        ".LaunchTests", ".DrainTests", ".LiveCallRestartTests", ".DatabaseOutageTests", ".BrowserCallTests", ".PublicAddressTests", ".HostileClientTests",
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection
    {
        var ordered = testCollections.OrderBy(collection => Rank(collection)).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal).ToArray();
        // The first few reach the runner's queue while the runner itself is being compiled, and one of them may come to stand behind all the others.
        var first = Math.Min(First, ordered.Length);
        return [.. ordered[^first..], .. ordered[..^first]];
    }

    private static int Rank(ITestCollection collection)
    {
        var rank = Array.FindIndex(Long, name => name[0] == '.' ? collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal) : collection.TestCollectionDisplayName == name);
        return rank < 0 ? Long.Length : rank;
    }
}
