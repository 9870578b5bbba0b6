using VoiceGrains.Server.Tests.Cluster;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(VoiceGrains.Server.Tests.LongestInTheMiddle))]

namespace VoiceGrains.Server.Tests;

/// <summary>
/// Classes that start processes take minutes: one that began last would be waited for alone. The runner gives all collections to the thread pool at once, which
/// begins with the first or, where its threads wake up late, with the last. Either way there are short ones left when the longest are through.
/// </summary>
public sealed class LongestInTheMiddle : ITestCollectionOrderer
{
    private static readonly string[] Long =
    [
        ClusterCollection.Name, ".BrowserCallTests", ".LiveCallRestartTests", ".LocalClusterTests", ".DatabaseOutageTests", ".ClusterOutageTests", ".PublicAddressTests",
        ".ProviderFaultTests", ".LaunchTests", ".DrainTests", ".RollingRestartTests", ShortGraceCollection.Name, ".HostileClientTests", ".WatchOutageTests",
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection
    {
        var ordered = testCollections.OrderBy(collection => Rank(collection)).ThenBy(collection => collection.TestCollectionDisplayName, StringComparer.Ordinal).ToArray();
        return [.. ordered.Where((_, i) => i % 2 != 0).Reverse(), .. ordered.Where((_, i) => i % 2 == 0)];
    }

    private static int Rank(ITestCollection collection)
    {
        var rank = Array.FindIndex(Long, name => name[0] == '.' ? collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal) : collection.TestCollectionDisplayName == name);
        return rank < 0 ? Long.Length : rank;
    }
}
