using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.Launch;

namespace VoiceGrains.Server.Tests.Outages;

/// <summary>A process of the platform, as its operator and its clients see it while a server behind it is away.</summary>
internal sealed class Server(SiloProcess process, string apiKey) : IAsyncDisposable
{
    /// <summary>For anything that must happen, on machines that are busy.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    /// <summary>A refusal must come before clients give up: far below the 30 s that a grain call or a database driver would wait.</summary>
    private static readonly TimeSpan RefusalLimit = TimeSpan.FromSeconds(20);
    private readonly HttpClient http = new() { BaseAddress = process.Url };

    public SiloProcess Process => process;

    public ApiClient Api { get; } = new(process.Url, new Account { AccountId = Guid.Empty, Name = "", Plan = "" }, apiKey);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<Server> OfAsync(SiloProcess process)
        => new(process, (await File.ReadAllTextAsync(Path.Combine(process.Data, "api-key"), Cancel)).Trim());

    /// <summary>Waits until readiness misses these parts and no other.</summary>
    public Task UntilMissingAsync(params string[] parts) => UntilAsync(async () =>
    {
        using var live = await http.GetAsync(new Uri("/health/live", UriKind.Relative), Cancel);
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        using var ready = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), Cancel);
        var missing = (await ready.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("missing").EnumerateArray().Select(part => part.GetString()!).Order().ToArray();
        Assert.Equal(missing.Length == 0 ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        return (missing.SequenceEqual(parts.Order()), $"missing: {string.Join(", ", missing)}");
    }, $"missing are {string.Join(", ", parts)}");

    public Task UntilReadyAsync() => UntilMissingAsync();

    /// <summary>Waits for the value of a metric without labels.</summary>
    public Task UntilMetricAsync(string name, double value) => UntilAsync(async () =>
    {
        var line = (await http.GetStringAsync(new Uri("/metrics", UriKind.Relative), Cancel)).Split('\n').FirstOrDefault(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return (line is not null && double.Parse(line[(name.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture).Equals(value), line ?? "not there");
    }, $"{name} is {value}");

    /// <summary>The request is refused soon, and says why and when to come again.</summary>
    public async Task AssertRefusedAsync(HttpMethod method, string path, string code, object? body = null)
    {
        var began = Environment.TickCount64;
        var reply = await Api.SendAsync(method, path, body is null ? null : JsonSerializer.Serialize(body));
        Assert.True(Environment.TickCount64 - began < RefusalLimit.TotalMilliseconds, $"{method} {path} took {Environment.TickCount64 - began} ms");
        Assert.True(reply.Status == 503, $"{method} {path}: {reply.Status} {reply.Text}\n{process.Printed}");
        Assert.Equal(code, reply.Json.GetProperty("code").GetString());
        Assert.NotEmpty(reply.Json.GetProperty("detail").GetString()!);
        Assert.InRange(reply.Headers.RetryAfter?.Delta ?? TimeSpan.Zero, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
    }

    public Task AssertNoNewCallAsync(string code)
        => AssertRefusedAsync(HttpMethod.Post, "/api/calls", code, new { systemPrompt = "Be brief.", medium = new { serverWebSocket = new { inputSampleRate = 16_000 } } });

    /// <summary>Looks until it holds.</summary>
    /// <param name="look">Says also what it saw, for failures.</param>
    public async Task UntilAsync(Func<Task<(bool Holds, string Seen)>> look, string what)
    {
        for (var deadline = Environment.TickCount64 + Patience.TotalMilliseconds; ; await Task.Delay(50, Cancel))
        {
            var (holds, seen) = await look();
            if (holds) return;
            Assert.True(Environment.TickCount64 < deadline, $"It never came that {what}, but {seen}. The server printed:\n{process.Printed}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        http.Dispose();
        await process.DisposeAsync();
    }
}
