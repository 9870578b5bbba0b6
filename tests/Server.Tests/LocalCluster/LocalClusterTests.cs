using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Server.Tests.Drain;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.Launch;
using VoiceGrains.Server.Tests.WebSockets;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.LocalCluster;

/// <summary><c>./run --cluster</c> from the outside: everything it starts is a process that can be killed.</summary>
public sealed partial class LocalClusterTests(InitializedData initialized) : IClassFixture<InitializedData>, IDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);
    private readonly string folder = InitializedData.MakeFolder();

    private string Data => Path.Combine(folder, "data");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task ACluster_CarriesCalls_StartsAgainWhatDies_AndStopsWhole()
    {
        await using var cluster = await StartAsync(2);
        var first = await ProcessesAsync(cluster);
        Assert.Equal(["gateway", "silo-1", "silo-2", "RabbitMQ", "PostgreSQL"], first.Keys);
        Assert.All(first.Values, id => Assert.True(IsRunning(id)));
        Assert.Contains("First start", cluster.Printed, StringComparison.Ordinal);
        Assert.Equal(cluster.Url, new Uri((await File.ReadAllTextAsync(Path.Combine(Data, "url"), Cancel)).Trim()));
        using var api = await ClientAsync(cluster);
        Assert.Equal(["silo-1 active", "silo-2 active"], await SilosAsync(api));
        await AdministerAsync(cluster);
        await TalkAsync(api);

        Assert.Equal(0, Kill(first["silo-1"]));
        await EventuallyAsync(async () => (await SilosAsync(api, lapsed: true)).Contains("silo-1 lapsed"));
        await UntilBackAsync(cluster, "silo-1");

        Assert.Equal(0, Kill(first["RabbitMQ"]));
        Assert.Equal(0, Kill(first["PostgreSQL"]));
        await UntilBackAsync(cluster, "rabbitmq");
        await UntilBackAsync(cluster, "postgres");
        await EventuallyAsync(async () => (await SilosAsync(api)).SequenceEqual(["silo-1 active", "silo-2 active"]));
        await TalkAsync(api);

        await using var live = await LiveClient.JoinAsync(await LiveClient.CreateJoinUrlAsync(api.Http, cluster));
        Assert.NotEmpty(await live.AskAsync("Hello?"));
        cluster.Signal(SiloProcess.SigTerm);
        await cluster.UntilPrintedAsync("Live calls go on until they end");
        Assert.NotEmpty(await live.AskAsync("Are you still there?"));
        cluster.Signal(SiloProcess.SigInt);
        Assert.Equal(0, await cluster.ExitAsync(StopLimit));
        await live.EndOfCallAsync();
        Assert.All(first.Values, id => Assert.False(IsRunning(id)));
        Assert.Empty(ProcessesOf(Data));
    }

    [Fact]
    public async Task AKilledLauncher_LeavesNothing_AndTheDataFolderIsTheOneOfASingleSilo()
    {
        initialized.CopyTo(Data);       // of a silo that was alone
        string account;
        Dictionary<string, int> first;
        await using (var killed = await StartAsync(1))
        {
            first = await ProcessesAsync(killed);
            using var api = await ClientAsync(killed);
            account = await AccountAsync(api);
            Assert.DoesNotContain("First start", killed.Printed, StringComparison.Ordinal);
            killed.KillHard();
            await killed.ExitAsync(StopLimit);
        }
        await using var next = await StartAsync(1);
        using var again = await ClientAsync(next);
        Assert.Equal(account, await AccountAsync(again));
        Assert.Equal(["silo-1 active"], await SilosAsync(again));
        Assert.All(first.Values, id => Assert.False(IsRunning(id)));
    }

    private Task<SiloProcess> StartAsync(int silos)
        => SiloProcess.StartReadyAsync("VoiceGrains.Silo.dll", [("Drain__Timeout", "00:10:00")],
            "--cluster", silos.ToString(CultureInfo.InvariantCulture), "--port", "0", "--data", Data);

    /// <summary>A person's recorded speech through the gateway, heard and answered.</summary>
    private static Task TalkAsync(ApiClient api) => MachineStalls.RetryAsync(() => TalkOnceAsync(api));

    private static async Task TalkOnceAsync(ApiClient api)
    {
        var request = LiveCall.Request("When the user says \"ten meters\": say \"All right.\"", """{"languageHint":"en","firstSpeakerSettings":{"user":{}}}""");
        await using var created = await LiveCall.CreateSoonAsync(api, request);
        await using var call = await created.ReturnAsync();
        Assert.Equal(api.Http.BaseAddress!.Authority, call.JoinUrl.Authority);
        await call.WaitForAsync("call_started");
        call.Say(HumanSpeech.GoForward());
        var heard = await call.WaitForFinalAsync("user");
        // Sound that stops for longer than the endpoint delay ends a turn: where the machine stalls, a sentence is heard in two parts.
        call.Stalls.Measure(() => Assert.Equal("go forward ten meters", heard.Json.GetProperty("text").GetString()));
        Assert.Equal("All right.", (await call.WaitForFinalAsync("agent", heard.At)).Json.GetProperty("text").GetString());
        await call.LeaveAsync();
    }

    /// <summary>Holds the key that the launcher left in the data folder.</summary>
    private async Task<ApiClient> ClientAsync(SiloProcess server)
    {
        var key = (await File.ReadAllTextAsync(Path.Combine(Data, "api-key"), Cancel)).Trim();
        return new ApiClient(server.Url, new Account { AccountId = Guid.Empty, Name = "", Plan = "" }, key);
    }

    /// <summary>The gateway takes the token that the launcher left in the data folder.</summary>
    private async Task AdministerAsync(SiloProcess cluster)
    {
        using var http = new HttpClient { BaseAddress = cluster.Url };
        http.DefaultRequestHeaders.Authorization = new("Bearer", (await File.ReadAllTextAsync(Path.Combine(Data, "admin-token"), Cancel)).Trim());
        Assert.Contains("\"total\":1", await http.GetStringAsync("/admin/accounts", Cancel), StringComparison.Ordinal);
    }

    private static async Task<string> AccountAsync(ApiClient api) => (await api.GetAsync("/api/accounts/me")).Json.GetProperty("accountId").GetString()!;

    /// <summary>Each silo's name and state.</summary>
    private static async Task<IEnumerable<string>> SilosAsync(ApiClient api, bool lapsed = false)
    {
        var reply = await api.GetAsync($"/api/cluster/silos?lapsed={lapsed}");
        return reply.Status == 200
            ? reply.Json.EnumerateArray().Select(silo => $"{silo.GetProperty("name").GetString()} {silo.GetProperty("state").GetString()}").Order(StringComparer.Ordinal)
            : [];
    }

    private static async Task UntilBackAsync(SiloProcess cluster, string name)
    {
        await cluster.UntilPrintedAsync($"{name} (process", TimeSpan.FromSeconds(30));
        await cluster.UntilPrintedAsync($"{name} is back as process", TimeSpan.FromSeconds(180));
    }

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        using var late = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        late.CancelAfter(TimeSpan.FromSeconds(30));
        while (!await holds())
            await Task.Delay(100, late.Token);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal = 9);

    /// <summary>The printed table: process ids by name.</summary>
    private static async Task<Dictionary<string, int>> ProcessesAsync(SiloProcess cluster)
    {
        await cluster.UntilPrintedAsync("kill -9");
        return Row().Matches(cluster.Printed).ToDictionary(row => row.Groups["name"].Value, row => int.Parse(row.Groups["id"].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"^  (gateway|silo|broker|database) +(?<name>\S+) +.*? (?<id>[0-9]+)  ", RegexOptions.Multiline)]
    private static partial Regex Row();

    /// <summary>Processes that name the data folder on their command line.</summary>
    private static List<int> ProcessesOf(string data)
        => [.. Directory.EnumerateDirectories("/proc").Select(path => int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && Read($"/proc/{id}/cmdline").Contains(data, StringComparison.Ordinal) && IsRunning(id))];

    /// <summary>One that ended stays in /proc as a zombie until whoever adopted it looks.</summary>
    private static bool IsRunning(int id) => Read($"/proc/{id}/stat") is { Length: > 0 } stat && stat[(stat.LastIndexOf(')') + 2)..][0] is not ('Z' or 'X');

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
