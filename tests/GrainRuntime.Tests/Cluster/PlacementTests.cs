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

    [Theory]
    [InlineData(4, false, true)]        // the full one would take it if it had room
    [InlineData(4, true, false)]        // the full one leaves
    [InlineData(3, true, false)]
    public void NoSiloLeft_TellsWhetherRoomIsWhatIsMissing(int activations, bool draining, bool isForRoom)
    {
        var view = new ClusterView([Row("one", activations, 4, draining), Row("other", 0, 4, draining: true)], lookedAt: 0);

        var (silo, problem) = Placement.Choose(view, new("account", "a"), typeof(AccountGrain), null, null, new HashSet<string>(), new Random(7));

        Assert.Null(silo);
        Assert.Equal(new PlacementProblem("All 2 silos that could activate grain account/a are full, draining or have refused.", isForRoom), problem);
    }

    private static SiloRow Row(string id, int activations, int most, bool draining = false) => new(
        new(id, id, "1", null, [], new Dictionary<string, string>(), ["account"], activations, most, draining, default), IsAlive: true);
}
