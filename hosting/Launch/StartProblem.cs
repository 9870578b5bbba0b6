using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Npgsql;
using Orleans.Runtime;

namespace VoiceGrains.Hosting.Launch;

/// <summary>What kept a program from starting, as the person at the terminal is told it: no stack trace for what only an operator can mend.</summary>
public static class StartProblem
{
    /// <summary>The category under which the host logs what made it stop.</summary>
    private const string HostCategory = "Microsoft.Extensions.Hosting.Internal.Host";

    /// <summary>Keeps the host from logging, with its stack trace, what <see cref="Of"/> tells in words. What a service that runs in the background dies of is critical, and still logged.</summary>
    public static void SayOnce(this WebApplicationBuilder builder)
    {
        var hasStarted = false;
        builder.Services.AddHostedService(provider =>
        {
            provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() => hasStarted = true);
            return new Nothing();
        });
        builder.Logging.AddFilter(HostCategory, level => level >= (hasStarted ? LogLevel.Warning : LogLevel.Critical));
    }

    /// <summary>Runs until it is told to stop. Where the start fails, what has begun by then is stopped in order, while it still has what it works with.</summary>
    public static async Task RunInOrderAsync(this WebApplication app)
    {
        await using (app)
        {
            try
            {
                await app.StartAsync();
            }
            catch
            {
                await app.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);     // the first failure is the one to tell
                throw;
            }
            await app.WaitForShutdownAsync();
        }
    }

    /// <returns>Null for a defect: that is worth its stack trace.</returns>
    public static LaunchException? Of(Exception failure) => failure switch
    {
        LaunchException problem => problem,
        IOException { InnerException: AddressInUseException } busy => new($"{busy.Message} Choose another port with --port or Grpc__Port.", inner: busy),
        IOException { InnerException: SocketException } refused => new($"{refused.Message} Choose another port with --port, Grpc__Port or WebRtc__Port.", inner: refused),
        IOException refused => new(refused.Message, inner: refused),
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InvalidCatalogName
            or PostgresErrorCodes.InsufficientPrivilege } refused => new($"The database refuses this server: {refused.MessageText}. Mend ConnectionStrings:VoiceGrains, or the database.", inner: refused),
        PostgresException => null,
        NpgsqlException away => new($"The database cannot be reached: {away.Message}. Start it, or mend ConnectionStrings:VoiceGrains.", inner: away),
        OrleansConfigurationException wrong => new(wrong.Message, inner: wrong),
        OperationCanceledException stopped => new("Stopped before all was done.", inner: stopped),
        _ => SettingsCheck.Explain(failure),
    };

    /// <summary>Made when the host starts, which is when the lifetime is there.</summary>
    private sealed class Nothing : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
