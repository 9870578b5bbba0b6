using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using VoiceGrains.ClusterHost;
using VoiceGrains.GrainRuntime.Cluster;

// One silo with the toy grains, for tests that stop and kill it. Settings come as --Cluster:Name=..., the database as --Database=...
// It says "ready <silo id>" when it is a member, answers the line "memory" with the bytes of its collected heap, and ends with its standard
// input or a signal.
var builder = Host.CreateEmptyApplicationBuilder(new() { Args = args });
builder.Configuration.AddCommandLine(args);
builder.Logging.AddConsole().SetMinimumLevel(LogLevel.Warning);
builder.Services.AddSingleton<IDiary, NoDiary>();
builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(builder.Configuration["Database"]!));
if (builder.Configuration["ClockSkewSeconds"] is { } skew)
    builder.Services.AddSingleton<TimeProvider>(new SkewedClock(TimeSpan.FromSeconds(int.Parse(skew, System.Globalization.CultureInfo.InvariantCulture))));
builder.Services.AddGrainRuntime(options => options.MinimumReminderPeriod = TimeSpan.FromSeconds(1)).AddGrains(typeof(AccountGrain).Assembly);
builder.Services.AddGrainCluster(builder.Configuration);
if (builder.Configuration[BareEcho.QueueSetting] is not null)
    builder.Services.AddHostedService<BareEcho>();

using var host = builder.Build();
await host.StartAsync();
Console.WriteLine($"ready {host.Services.GetRequiredService<IClusterMembership>().LocalSilo}");
var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
_ = Task.Run(async () =>
{
    while (await Console.In.ReadLineAsync() is { } line)
    {
        if (line == "memory")
            Console.WriteLine($"memory {CollectedHeap()}");
    }
    lifetime.StopApplication();
});
await host.WaitForShutdownAsync();

static long CollectedHeap()
{
    GC.Collect();
    GC.WaitForPendingFinalizers();
    return GC.GetTotalMemory(forceFullCollection: true);
}

internal sealed class NoDiary : IDiary
{
    public void Say(string what)
    {
    }
}

internal sealed class SkewedClock(TimeSpan skew) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + skew;
}
