using System.Linq.Expressions;
using System.Reflection;
using Orleans.Concurrency;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Calls;

/// <summary>A method of a grain contract, compiled once: how to call it and which rules its attributes set.</summary>
internal abstract class GrainMethod(MethodInfo method)
{
    /// <summary>Names the method between processes, overloads apart.</summary>
    public string WireName { get; } = WireNameOf(method);

    /// <summary>Types of the parameters, in order.</summary>
    public Type[] ParameterTypes { get; } = [.. method.GetParameters().Select(parameter => parameter.ParameterType)];

    /// <summary><c>IContract.Method</c>, for messages and spans.</summary>
    public string Name { get; } = $"{method.DeclaringType!.Name}.{method.Name}";

    public bool AlwaysInterleave { get; } = method.IsDefined(typeof(AlwaysInterleaveAttribute));

    public bool ReadOnly { get; } = method.IsDefined(typeof(ReadOnlyAttribute));

    public bool OneWay { get; } = method.IsDefined(typeof(OneWayAttribute));

    /// <summary>Index of the cancellation token among the arguments.</summary>
    public int? CancellationIndex { get; } = Array.FindIndex(method.GetParameters(), parameter => parameter.ParameterType == typeof(CancellationToken)) is var index and >= 0 ? index : null;

    public static GrainMethod Create(MethodInfo method)
    {
        if (method.IsGenericMethod || method.GetParameters().Any(parameter => parameter.ParameterType.IsByRef))
            throw new NotSupportedException($"{method.DeclaringType}.{method.Name}: grain methods are not generic and have no ref parameters.");
        var result = method.ReturnType;
        var definition = result.IsGenericType ? result.GetGenericTypeDefinition() : result;
        var isValueTask = definition == typeof(ValueTask) || definition == typeof(ValueTask<>);
        if (definition == typeof(Task) || definition == typeof(ValueTask))
            return new VoidGrainMethod(method, isValueTask);
        if (definition == typeof(Task<>) || definition == typeof(ValueTask<>))
            return (GrainMethod)Activator.CreateInstance(typeof(ResultGrainMethod<>).MakeGenericType(result.GenericTypeArguments), method, isValueTask)!;
        throw new NotSupportedException($"{method.DeclaringType}.{method.Name}: grain methods return Task, Task<T>, ValueTask or ValueTask<T>.");
    }

    public static string WireNameOf(MethodInfo method) =>
        $"{method.DeclaringType!.FullName}.{method.Name}({string.Join(',', method.GetParameters().Select(parameter => parameter.ParameterType.Name))})";

    /// <summary>A request that came from another process.</summary>
    public abstract Invocation CreateInvocation(GrainId target, object?[] arguments, TimeProvider clock);

    /// <summary>Sends the request and returns what the contract's method returns.</summary>
    public abstract object Call(GrainDispatcher dispatcher, GrainId target, object?[] arguments);

    /// <summary>A delegate that casts and calls, with the method's own result converted to a task.</summary>
    protected static Func<object, object?[], TTask> Compile<TTask>(MethodInfo method, bool isValueTask)
        where TTask : Task
    {
        var grain = Expression.Parameter(typeof(object));
        var arguments = Expression.Parameter(typeof(object?[]));
        var values = method.GetParameters()
            .Select((parameter, index) => Expression.Convert(Expression.ArrayIndex(arguments, Expression.Constant(index)), parameter.ParameterType));
        Expression call = Expression.Call(Expression.Convert(grain, method.DeclaringType!), method, values);
        if (isValueTask)
            call = Expression.Call(call, nameof(ValueTask.AsTask), null);
        return Expression.Lambda<Func<object, object?[], TTask>>(call, grain, arguments).Compile();
    }
}

internal abstract class GrainMethod<TResult>(MethodInfo method) : GrainMethod(method)
{
    public abstract Func<object, object?[], Task<TResult>> Body { get; }

    public sealed override Invocation CreateInvocation(GrainId target, object?[] arguments, TimeProvider clock) =>
        new Invocation<TResult>(this, target, arguments, caller: null, clock);
}

internal sealed class ResultGrainMethod<TResult>(MethodInfo method, bool isValueTask) : GrainMethod<TResult>(method)
{
    public override Func<object, object?[], Task<TResult>> Body { get; } = isValueTask
        ? CompileValueTask(method)
        : Compile<Task<TResult>>(method, isValueTask: false);

    public override object Call(GrainDispatcher dispatcher, GrainId target, object?[] arguments)
    {
        var task = dispatcher.Send(this, target, arguments);
        return isValueTask ? new ValueTask<TResult>(task) : task;
    }

    private static Func<object, object?[], Task<TResult>> CompileValueTask(MethodInfo method) => Compile<Task<TResult>>(method, isValueTask: true);
}

internal sealed class VoidGrainMethod : GrainMethod<VoidGrainMethod.Nothing>
{
    private readonly bool _isValueTask;

    public VoidGrainMethod(MethodInfo method, bool isValueTask)
        : base(method)
    {
        _isValueTask = isValueTask;
        var body = Compile<Task>(method, isValueTask);
        Body = (grain, arguments) => Await(body(grain, arguments));
    }

    internal readonly struct Nothing;

    public override Func<object, object?[], Task<Nothing>> Body { get; }

    public override object Call(GrainDispatcher dispatcher, GrainId target, object?[] arguments)
    {
        Task task = dispatcher.Send(this, target, arguments);
        return _isValueTask ? new ValueTask(task) : task;
    }

    private static Task<Nothing> Await(Task task)
    {
        return task.IsCompletedSuccessfully ? Task.FromResult<Nothing>(default) : Wait(task);

        static async Task<Nothing> Wait(Task task)
        {
            await task;
            return default;
        }
    }
}
