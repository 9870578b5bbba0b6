using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace VoiceGrains.GrainRuntime.RabbitMq;

/// <summary>What keeps a process from using its broker, in words for an operator. The URI holds a password, so it is never repeated.</summary>
internal static class BrokerProblem
{
    /// <summary>Whether the broker has closed something because of who we are or what we ask, which an operator must mend.</summary>
    public static bool IsRefusal(ShutdownEventArgs? reason) =>
        reason is { Initiator: ShutdownInitiator.Peer, ReplyCode: Constants.AccessRefused or Constants.NotAllowed or Constants.NotFound or Constants.PreconditionFailed };

    public static string Describe(Exception exception, Uri broker)
    {
        var user = broker.UserInfo is { Length: > 0 } info ? Uri.UnescapeDataString(info.Split(':')[0]) : "guest";
        foreach (var cause in Causes(exception))
        {
            switch (cause)
            {
                case AuthenticationFailureException or PossibleAuthenticationFailureException:
                    return $"it refuses the user name or password of Cluster:RabbitMq (user '{user}')";
                case OperationInterruptedException { ShutdownReason: { } reason } when IsRefusal(reason):
                    return $"it refuses user '{user}' what the cluster needs: {reason.ReplyText}";
                case OperationCanceledException:
                    return "it does not answer in time";
            }
        }
        return $"it cannot be reached: {Causes(exception).Last().Message}";
    }

    // From the outermost to the innermost.
    private static IEnumerable<Exception> Causes(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = (cause as AggregateException)?.InnerExceptions[0] ?? cause.InnerException)
            yield return cause;
    }
}
