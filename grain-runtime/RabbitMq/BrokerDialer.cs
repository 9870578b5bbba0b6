using RabbitMQ.Client;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>
/// Connects a process to its broker, and goes on trying for as long as it runs: alike for requests and for streams. The client library's own
/// recovery is off: it would hide how long the broker was away.
/// </summary>
/// <param name="options">Where the broker is.</param>
/// <param name="clock">Times the pauses.</param>
/// <param name="report">Told the address and what is wrong there, once until that changes.</param>
internal sealed class BrokerDialer(ClusterOptions options, TimeProvider clock, Action<string, string, Exception> report)
{
    /// <summary>Most time to connect, and to declare what is needed then.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1), LongerPause = TimeSpan.FromMilliseconds(100);

    private readonly Uri _address = new(options.RabbitMq!);

    /// <param name="name">By which operators of the broker see the connection.</param>
    public Task<IConnection> ConnectAsync(string name, CancellationToken cancellationToken) => new ConnectionFactory
    {
        Uri = _address,
        AutomaticRecoveryEnabled = false,
        TopologyRecoveryEnabled = false,
        RequestedHeartbeat = options.Heartbeat,
        RequestedConnectionTimeout = ConnectTimeout,
        ClientProvidedName = name,
        // Not our own limit: a message beyond this one ends the connection, and one silo's setting must not end another's.
        MaxInboundMessageBodySize = ClusterOptions.LargestMaxMessageBytes + 65_536,
    }.CreateConnectionAsync(cancellationToken);

    /// <summary>Repeats <paramref name="hold"/>, which connects and returns when the connection is lost, until it is to stop. Never throws.</summary>
    public async Task KeepAsync(Func<CancellationToken, Task> hold, CancellationToken stopping)
    {
        var pause = TimeSpan.Zero;
        string? problem = null;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await hold(stopping).ConfigureAwait(false);
                (pause, problem) = (TimeSpan.Zero, null);
            }
            catch (Exception) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                var former = problem;
                problem = BrokerProblem.Describe(exception, _address);
                if (problem != former)
                    report(_address.Authority, problem, exception);
                pause = pause + LongerPause < LongestPause ? pause + LongerPause : LongestPause;
            }
            await Task.Delay(pause, clock, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
