using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using VoiceGrains.Cli.Calls;
using VoiceGrains.Cli.Silos;

namespace VoiceGrains.Cli.Tests.Silos;

/// <summary><c>vg silos</c> against answers of a server, over a real socket.</summary>
public sealed class SilosCommandTests
{
    private const string Key = FakeCallServer.Key;
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ACluster_IsATable_WithTheStateOfEachSilo()
    {
        var printed = await ShowAsync($"""
            [{Silo("silo-1-aaaaaaaaaaaa", "active", "2026-01-01T11:58:57Z", calls: 3)},
             {Silo("silo-2-bbbbbbbbbbbb", "draining", "2025-12-30T10:00:00Z")},
             {Silo("silo-3-cccccccccccc", "lapsed", "2026-01-01T12:00:01Z")}]
            """);

        Assert.Equal("""
            SILO                 STATE         CALLS  GRAINS     LOAD  VERSION        ROLES  LABELS       ADDRESS                AGE
            silo-1-aaaaaaaaaaaa  active        3      25/100000  25%   0.1.0+0123456  media  region=here  http://127.0.0.1:5001  1m 3s
            silo-2-bbbbbbbbbbbb  draining      0      25/100000  25%   0.1.0+0123456  media  region=here  http://127.0.0.1:5001  2d 2h
            silo-3-cccccccccccc  lease lapsed  0      25/100000  25%   0.1.0+0123456  media  region=here  http://127.0.0.1:5001  0s

            """, printed);
    }

    [Fact]
    public async Task Json_IsWhatTheServerAnswers()
    {
        var answer = $"[{Silo("silo-1-aaaaaaaaaaaa", "active", "2026-01-01T11:58:57Z")}]";
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(answer), JsonNode.Parse(await ShowAsync(answer, asJson: true))));
    }

    [Fact]
    public async Task AServerThatIsAlone_IsShownAndSaysSo()
    {
        var printed = await ShowAsync("""
            [{"id":"host","name":"host","version":"0.1.0","state":"active","roles":[],"labels":{},"activations":0,"maxActivations":10,"load":0,"liveCalls":0,
              "draining":false,"started":"2026-01-01T10:58:57Z"}]
            """);
        Assert.Contains("host  active  0      0/10    0%    0.1.0    -      -       -        1h 1m", printed, StringComparison.Ordinal);
        Assert.Contains("This server is alone, not part of a cluster.", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoSilo_IsSaid() => Assert.Equal("No silo is alive.\n", await ShowAsync("[]"));

    [Theory]
    [InlineData("""{"detail":"no"}""", 401, "refuses the API key (401)", 3)]
    [InlineData("", 404, "knows of no silos: it is another program, or an older VoiceGrains.", 3)]
    [InlineData("""{"detail":"The database is away."}""", 503, "failed with 503: {\"detail\":\"The database is away.\"}", 1)]
    [InlineData("{}", 200, "answered something else than a list.", 1)]
    public async Task AnErrorOfTheServer_IsSaidInWords(string answer, int status, string message, int exitCode)
    {
        var problem = await Assert.ThrowsAsync<CliException>(() => ShowAsync(answer, status: status));
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
        Assert.Equal(exitCode, problem.ExitCode);
    }

    [Fact]
    public async Task AServerThatIsAway_IsSaidInWords()
    {
        using var nobody = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0));     // taken, and not listening
        var server = new ServerAddress(new Uri($"http://{nobody.LocalEndPoint}"), Key);
        var problem = await Assert.ThrowsAsync<CliException>(() => SilosCommand.ShowAsync(server, false, TextWriter.Null, TimeProvider.System, Cancel));
        Assert.StartsWith($"No server answers at {server.Url}", problem.Message, StringComparison.Ordinal);
        Assert.Equal(CliException.NoServer, problem.ExitCode);
    }

    [Fact]
    public async Task Watching_EndsWithCtrlC_AndThatIsNoFailure()
    {
        using var ctrlC = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await using var server = await FakeCallServer.StartAsync();
        var watching = SilosCommand.WatchAsync(new ServerAddress(server.Url, Key), false, new StringWriter(), ctrlC.Token);
        await ctrlC.CancelAsync();
        Assert.Equal(0, await watching);
    }

    private static string Silo(string id, string state, string started, int calls = 0)
        => $$"""
            {"id":"{{id}}","name":"{{id[..6]}}","version":"0.1.0+0123456789abcdef","address":"http://127.0.0.1:5001","state":"{{state}}","roles":["media"],
             "labels":{"region":"here"},"activations":25,"maxActivations":100000,"load":0.25,"liveCalls":{{calls}},"draining":{{(state == "draining" ? "true" : "false")}},
             "started":"{{started}}"}
            """;

    private static async Task<string> ShowAsync(string answer, bool asJson = false, int status = 200)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var app = builder.Build();
        app.MapGet("/api/cluster/silos", (HttpRequest request) => request.Headers["X-API-Key"] == Key && request.Query["lapsed"] == "true"
            ? Results.Text(answer, "application/json", statusCode: status)
            : Results.BadRequest("not asked as expected"));
        await app.StartAsync(Cancel);
        var output = new StringWriter();
        await SilosCommand.ShowAsync(new ServerAddress(new Uri(app.Urls.Single()), Key), asJson, output, new FixedClock(), Cancel);
        return output.ToString();
    }

    private sealed class FixedClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
