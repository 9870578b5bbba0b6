using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Retention;
using VoiceGrains.Grains.Storage;
using VoiceGrains.Grains.Tests.Calls;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Retention;

/// <summary>A silo whose clock and blob store obey the tests. Its own retention worker looks so seldom that the tests look themselves.</summary>
public sealed class RetentionHost : IAsyncLifetime
{
    private TestDatabase _database = null!;

    internal CallHost Host { get; private set; } = null!;
    internal ShiftedClock Clock { get; } = new();
    internal FaultyBlobs Blobs => (FaultyBlobs)Host.Blobs;
    internal RetentionWorker Worker => Host.Services.GetRequiredService<RetentionWorker>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await MigratedDatabase.CreateAsync(TestContext.Current.CancellationToken);
        Host = await CallHost.StartAsync(_database, configure: builder =>
        {
            builder.Configuration["Retention:Interval"] = "1.00:00:00";
            builder.Configuration["Retention:BatchSize"] = "3";
            builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(Clock));
            builder.Services.Replace(ServiceDescriptor.Singleton<IBlobStore>(new FaultyBlobs(new FileBlobStore(builder.Configuration["Blobs:Path"]!))));
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await _database.DisposeAsync();
    }

    /// <param name="days">Null for the server's default, which is for ever.</param>
    public async Task<string> CreateAccountAsync(int? days)
    {
        var account = await Host.Services.GetRequiredService<AccountStore>().CreateAsync("Test", AccountSetup.SelfHostedPlan, Cancel);
        await SetRetentionAsync(account.AccountId.ToString(), days);
        return account.AccountId.ToString();
    }

    public async Task SetRetentionAsync(string accountId, int? days)
    {
        await using var command = Host.Database.CreateCommand("update accounts set retention_days = $1 where account_id = $2");
        command.Parameters.Add(new() { Value = days ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });
        command.Parameters.Add(new() { Value = Guid.Parse(accountId) });
        await command.ExecuteNonQueryAsync(Cancel);
    }

    /// <summary>A call in which everything that a call can hold is the marker: what it was made with, what was said, its tools, its events and its sound.</summary>
    public async Task<CallSnapshot> JoinAsync(string accountId, string marker, Func<CallSettings, CallSettings>? change = null)
    {
        var settings = Marked(CallSamples.Settings(Guid.NewGuid().ToString(), Clock.GetUtcNow()) with { AccountId = accountId }, marker);
        settings = change?.Invoke(settings) ?? settings;
        var grain = Host.Call(settings.CallId);
        var call = await grain.CreateAsync(settings);
        var joined = await grain.JoinAsync(call.JoinUrl!.Split('/')[^1], marker);
        await grain.EnterStageAsync(settings.FirstStage with { CallStageId = "s2" }, joined.Generation);
        Say(settings.CallId, marker);
        await Host.Journal.FlushAsync(settings.CallId, Cancel);
        await using (var recording = Blobs.OpenWrite(CallBlobs.Recording(settings.CallId))) await recording.WriteAsync(Encoding.UTF8.GetBytes(marker), Cancel);
        return joined;
    }

    /// <summary>Ends it and waits until it owes nothing.</summary>
    public async Task EndAsync(string callId)
    {
        await Host.Call(callId).EndAsync(new CallOutcome(EndReason.Hangup));
        await Webhooks.Poll.UntilAsync(async () => await ScalarAsync<long>("select count(*) from calls where call_id = $1 and summary_pending", callId) == 0, () => "no summary");
    }

    public async Task<T> ScalarAsync<T>(string sql, string value)
    {
        await using var command = Host.Database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = value });
        return (T)(await command.ExecuteScalarAsync(Cancel))!;
    }

    public async Task<bool> ExistsAsync(string callId) => await ScalarAsync<long>("select count(*) from calls where call_id = $1", callId) > 0;

    private void Say(string callId, string marker)
    {
        var time = new InCallTimespan(TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Write(new Message { Role = MessageRole.User, Text = marker, Timespan = time, WallClockTimespan = time, Metadata = new JsonObject { ["m"] = marker } });
        Write(new Message { Role = MessageRole.ToolCall, Text = $$"""{"a":"{{marker}}"}""", InvocationId = marker, ToolName = "look", CallStageMessageIndex = 1 });
        Write(new Message { Role = MessageRole.ToolResult, Text = marker, InvocationId = marker, ToolName = "look", ErrorDetails = marker, CallStageMessageIndex = 2, CallState = new JsonObject { ["s"] = marker } });
        Write(new Message { Role = MessageRole.Agent, Text = marker, CallStageMessageIndex = 3 });
        Host.Journal.Write(1, new CallEvent(callId, "s1", TimeSpan.Zero, Severity.Error, "test", marker, new JsonObject { ["x"] = marker }, TimeSpan.Zero));

        void Write(Message message) => Host.Journal.Write(callId, 1, message with { CallStageId = "s1", CallStageMessageIndex = message.CallStageMessageIndex + 1 });
    }

    private static CallSettings Marked(CallSettings settings, string marker) => settings with
    {
        AgentId = marker, AgentName = marker, RecordingEnabled = true,
        Metadata = new Dictionary<string, string> { [marker] = marker },
        RequestContext = new JsonObject { ["c"] = marker },
        Callbacks = new JsonObject { ["other"] = new JsonObject { ["url"] = "https://hooks.example/" + marker } },
        FirstStage = settings.FirstStage with
        {
            SystemPrompt = marker, TimeExceededMessage = marker, InactivityMessages = [new TimedMessage { Duration = TimeSpan.FromSeconds(9), Message = marker }],
            InitialMessages = [new Message { Role = MessageRole.User, Text = marker }],
            InitialState = new JsonObject { ["i"] = marker },
            ExperimentalSettings = new JsonObject { ["e"] = marker },
            Tools = [new CallTool { CallToolId = "t1", ToolId = "tool-1", Name = "look", Definition = new CallToolDefinition { Description = marker } }],
        },
    };
}

/// <summary>The machine's clock, moved. Timers are the machine's.</summary>
internal sealed class ShiftedClock : TimeProvider
{
    public TimeSpan Shift { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
}

/// <summary>Blobs that cannot be deleted while that is asked for: as in a process that dies just before it would have.</summary>
internal sealed class FaultyBlobs(IBlobStore inner) : IBlobStore
{
    public bool CannotDelete { get; set; }

    public Stream OpenWrite(string name) => inner.OpenWrite(name);

    public Stream? OpenRead(string name) => inner.OpenRead(name);

    public bool Exists(string name)
    {
        using var blob = OpenRead(name);
        return blob is not null;
    }

    public bool Delete(string name) => CannotDelete ? throw new IOException("The disk is away.") : inner.Delete(name);
}
