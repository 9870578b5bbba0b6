using VoiceGrains.ClusterHost;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

public sealed class PlacementTests
{
    [Fact]
    public void LeastLoadedSilo_IsChosenAndWhatWasPlacedCounts()
    {
        var view = new ClusterView([Row("full", 4, 4), Row("busy", 3, 10), Row("big", 0, 100)], lookedAt: 0);
        var chosen = new List<string>();
        for (var grain = 0; grain < 40; grain++)
        {
            var (silo, problem) = Placement.Choose(view, new("account", $"{grain}"), typeof(AccountGrain), null, null, new HashSet<string>(), new Random(7));
            Assert.Null(problem);
            view.Placed(silo!.Id);
            chosen.Add(silo.Id);
        }
        Assert.Equal(Enumerable.Repeat("big", 30), chosen.Take(30));       // up to the load of the busy one
        Assert.Contains("busy", chosen.Skip(30));
        Assert.DoesNotContain("full", chosen);
    }

    private static SiloRow Row(string id, int activations, int most) => new(
        new(id, id, "1", null, [], new Dictionary<string, string>(), ["account"], activations, most, Draining: false, default), IsAlive: true);
}
