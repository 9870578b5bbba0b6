using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.Gateway.Talk;
using VoiceGrains.Hosting.Database;
using VoiceGrains.Hosting.Launch;
using VoiceGrains.Silo.Launch;

namespace VoiceGrains.Server.Tests.Launch;

/// <summary>The silo from the outside: started, stopped, killed and started again on a data folder of its own.</summary>
public sealed class LaunchTests(InitializedData initialized) : IClassFixture<InitializedData>, IDisposable
{
    /// <summary>For an end that comes by itself: it takes seconds, and the machine may be busy.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);
    private readonly string folder = InitializedData.MakeFolder();
    private readonly HttpClient http = new();

    private string Data => Path.Combine(folder, "data");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        http.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task FirstStart_KeepsAWorkingKeyForTheOwnerOnly_AndTheSecondStartKeepsTheAccount()
    {
        string key, account;
        await using (var first = await SiloProcess.StartReadyAsync(Data))
        {
            key = (await File.ReadAllTextAsync(Path.Combine(Data, "api-key"), Cancel)).Trim();
            Assert.Matches(new Regex("^[A-Za-z0-9]{8}\\.[A-Za-z0-9]{32}$"), key);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Data, "api-key")));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Data, "secret-key")));
            Assert.Equal(32, new FileInfo(Path.Combine(Data, "secret-key")).Length);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Data, "admin-token")));
            using var administration = new HttpRequestMessage(HttpMethod.Get, new Uri(first.Url, "/admin/accounts"));
            administration.Headers.Authorization = new("Bearer", (await File.ReadAllTextAsync(Path.Combine(Data, "admin-token"), Cancel)).Trim());
            Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(administration, Cancel)).StatusCode);
            await first.UntilPrintedAsync(key);
            account = await AccountIdAsync(first, key);
            await first.UntilPrintedAsync(account);

            var ready = await http.GetFromJsonAsync<JsonElement>(new Uri(first.Url, "/health/ready"), Cancel);
            Assert.Equal("ok", ready.GetProperty("status").GetString());
            Assert.Empty(ready.GetProperty("missing").EnumerateArray());
            Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(first.Url, "/health/live"), Cancel)).StatusCode);
            Assert.Contains("# TYPE ", await http.GetStringAsync(new Uri(first.Url, "/metrics"), Cancel), StringComparison.Ordinal);
            first.Signal(SiloProcess.SigTerm);
            Assert.Equal(0, await first.ExitAsync(StopLimit));
        }

        await using var second = await SiloProcess.StartReadyAsync(Data);
        Assert.Equal(account, await AccountIdAsync(second, key));
        Assert.DoesNotContain("First start", second.Printed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SiloProcess.SigTerm)]
    [InlineData(SiloProcess.SigInt)]
    public async Task ASignal_StopsTheSiloAndItsPostgres(int signal)
    {
        initialized.CopyTo(Data);
        await using var silo = await SiloProcess.StartReadyAsync(Data);
        var postgres = silo.PostgresId;
        Assert.True(Directory.Exists($"/proc/{postgres}"));

        silo.Signal(signal);

        Assert.Equal(0, await silo.ExitAsync(StopLimit));
        Assert.False(Directory.Exists($"/proc/{postgres}"));
        Assert.False(File.Exists(Path.Combine(Data, "postgres/data/postmaster.pid")));
    }

    [Fact]
    public async Task AKilledSilo_TakesItsPostgresDown_AndTheNextStartGoesOn()
    {
        initialized.CopyTo(Data);
        string account, key;
        int postgres;
        await using (var killed = await SiloProcess.StartReadyAsync(Data))
        {
            key = (await File.ReadAllTextAsync(Path.Combine(Data, "api-key"), Cancel)).Trim();
            account = await AccountIdAsync(killed, key);
            postgres = killed.PostgresId;
            killed.KillHard();
            await killed.ExitAsync(StopLimit);
        }

        await using var next = await SiloProcess.StartReadyAsync(Data);
        Assert.NotEqual(postgres, next.PostgresId);
        Assert.Equal(account, await AccountIdAsync(next, key));
        Assert.False(IsRunning(postgres));
    }

    /// <summary>An orphan that ended stays in /proc as a zombie until whoever adopted it looks.</summary>
    private static bool IsRunning(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..][0] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    [Fact]
    public async Task ASecondSilo_OnTheSameFolder_IsRefusedAndNamesTheFirst()
    {
        initialized.CopyTo(Data);
        await using var first = await SiloProcess.StartReadyAsync(Data);
        await using var second = SiloProcess.Start("--port", "0", "--data", Data);

        Assert.Equal(1, await second.ExitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains($"process {first.Id}", second.Printed, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(first.Url, "/health/ready"), Cancel)).StatusCode);
    }

    [Fact]
    public async Task LeftoversOfACrash_DoNotStopTheNextStart()
    {
        initialized.CopyTo(Data);
        // A process id that now belongs to someone else (as in a restarted container), a socket's lock that says the same, and half an initdb.
        var someoneElse = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(Path.Combine(Data, "postgres/data/postmaster.pid"), $"{someoneElse}\n{Data}/postgres/data\n", Cancel);
        await File.WriteAllTextAsync(Path.Combine(Data, "postgres/socket/.s.PGSQL.5432.lock"), $"{someoneElse}\n", Cancel);
        Directory.CreateDirectory(Path.Combine(Data, "postgres/data.new/base"));
        File.Delete(Path.Combine(Data, "talk-agent"));       // the first start ended before it had made one, or it had no talk page

        await using var next = await SiloProcess.StartReadyAsync(Data);
        if (TalkPage.IsBuilt)
            await next.UntilPrintedAsync($"{next.Url}talk/");
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(next.Url, "/health/ready"), Cancel)).StatusCode);
    }

    [Fact]
    public async Task AFolderTooDeepForASocket_Works()
    {
        var deep = Path.Combine(folder, new string('d', 120), "a, b");
        Directory.CreateDirectory(Path.GetDirectoryName(deep)!);
        initialized.CopyTo(deep);
        await using var silo = await SiloProcess.StartReadyAsync(deep);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(new Uri(silo.Url, "/health/ready"), Cancel)).StatusCode);
    }

    [Theory]
    [InlineData("--prot", "8080")]
    [InlineData("--port", "80800")]
    [InlineData("--bind", "everywhere")]
    [InlineData("--data", null)]
    [InlineData("--cluster", null)]
    [InlineData("--cluster", "0")]
    [InlineData("--cluster", "10")]
    [InlineData("--cluster", "three")]
    [InlineData("--cluster=2", "--migrate-only")]
    public async Task AMistakeOnTheCommandLine_ShowsTheUsageAndExitsWith2(string argument, string? value)
    {
        await using var silo = value is null ? SiloProcess.Start(argument) : SiloProcess.Start(argument, value);

        Assert.Equal(2, await silo.ExitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("Usage: ./run", silo.Printed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Retention__Interval", "5s", "'5s' at 'Retention:Interval'", "00:01:30")]
    [InlineData("Billing__CycleDay", "40", "CycleDay", "between 1 and 28")]
    public async Task AMistakeInTheSettings_IsSaidPlainly(string name, string value, string setting, string rule)
    {
        await using var silo = SiloProcess.Start([(name, value)], "--port", "0", "--data", Data);

        Assert.Equal(1, await silo.ExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains(setting, silo.Printed, StringComparison.Ordinal);
        Assert.Contains(rule, silo.Printed, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", silo.Printed, StringComparison.Ordinal);     // no stack trace at a person
    }

    [Fact]
    public async Task MistakesInTheSettings_AreSaidAtOnce()
    {
        await using var silo = SiloProcess.Start(
            [
                ("Outbound__AllowedNetworks__0", "inside"), ("Voices__Fallback", "Nobody"), ("Models__Target", "nosuch/x"),
                ("WebRtc__PublicAddresses__0", "here"), ("ConnectionStrings__VoiceGrains", "Host=127.0.0.1;Port=1"),
            ],
            "--port", "0", "--data", Data);

        Assert.Equal(1, await silo.ExitAsync(TimeSpan.FromSeconds(60)));
        Assert.StartsWith("The configuration cannot be used:", silo.Printed, StringComparison.Ordinal);
        foreach (var setting in (string[])["Outbound:AllowedNetworks", "Voices:Fallback 'Nobody'", "provider 'nosuch'", "WebRtc:PublicAddresses"])
            Assert.Contains(setting, silo.Printed, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", silo.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADatabaseThatIsAway_IsSaidPlainly()
    {
        await using var silo = SiloProcess.Start([("ConnectionStrings__VoiceGrains", "Host=127.0.0.1;Port=1;Timeout=2")], "--port", "0", "--data", Data);

        Assert.Equal(1, await silo.ExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Contains("The database cannot be reached: Failed to connect to 127.0.0.1:1.", silo.Printed, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", silo.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStartThatFailsLate_StopsInOrder_AndIsSaidPlainly()
    {
        initialized.CopyTo(Data);
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var silo = SiloProcess.Start([("Grpc__Port", $"{port}")], "--port", "0", "--data", Data);       // opened last, when all else runs

        Assert.Equal(1, await silo.ExitAsync(TimeSpan.FromSeconds(180)));
        Assert.Contains($":{port}: address already in use. Choose another port with --port or Grpc__Port.", silo.Printed, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", silo.Printed, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://0.0.0.0:8080", "http://127.0.0.1:8080")]
    [InlineData("http://[::]:8080", "http://127.0.0.1:8080")]
    [InlineData("http://192.0.2.7:8080", "http://192.0.2.7:8080")]
    public void TheLinkToTalk_IsOneThatBrowsersGiveTheMicrophone(string url, string here) => Assert.Equal(here, Welcome.FromHere(url));

    [Fact]
    public void WhatAnOperatorCanMend_IsSaidPlainly_AndADefectIsNot()
    {
        var taken = new IOException("Port 7882 for WebRTC media cannot be opened: Address already in use.", new System.Net.Sockets.SocketException());

        Assert.Contains("WebRtc__Port", StartProblem.Of(taken)!.Message, StringComparison.Ordinal);
        Assert.Contains("is no connection string", Assert.Throws<LaunchException>(() => new ServiceCollection().AddDatabase("db.example.com")).Message, StringComparison.Ordinal);
        Assert.Null(StartProblem.Of(new InvalidOperationException("A defect.")));
    }

    [Fact]
    public async Task APortInUse_IsSaidPlainly()
    {
        using var taken = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var silo = SiloProcess.Start("--port", $"{port}", "--data", Data);

        Assert.Equal(1, await silo.ExitAsync(TimeSpan.FromSeconds(180)));
        Assert.Contains("--port", silo.Printed, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", silo.Printed, StringComparison.Ordinal);     // no stack trace at a person
    }

    private async Task<string> AccountIdAsync(SiloProcess silo, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(silo.Url, "/api/accounts/me"));
        request.Headers.Add("X-API-Key", key);
        using var reply = await http.SendAsync(request, Cancel);
        return (await reply.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("accountId").GetString()!;
    }
}
