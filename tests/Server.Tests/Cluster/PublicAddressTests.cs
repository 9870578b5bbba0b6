using VoiceGrains.Server.Tests.Drain;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>A cluster whose silos have addresses that clients can reach.</summary>
public sealed class PublicAddressTests
{
    [Fact]
    public async Task AJoinUrl_NamesTheSilosPublicAddress_AndAnotherSiloTakesTheClientThere()
    {
        await using var cluster = await ClusterProcesses.StartAsync(("Media__PublicUrl", "http://127.0.0.1:PORT"));
        using var http = new HttpClient();
        var joinUrl = await LiveClient.CreateJoinUrlAsync(http, cluster.Gateway);
        var (one, two) = (cluster.Silo("one").Url, cluster.Silo("two").Url);
        Assert.Contains(joinUrl.GetLeftPart(UriPartial.Authority), (string[])[$"ws://{one.Authority}", $"ws://{two.Authority}"]);

        var other = joinUrl.Port == one.Port ? two : one;
        await using var client = await LiveClient.JoinAsync(new UriBuilder(joinUrl) { Port = other.Port }.Uri);
        Assert.NotEmpty(await client.AskAsync("Hello?"));
    }
}
