using System.Collections.Frozen;
using System.Reflection;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Concurrency;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Storage;

namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>An assembly whose grain classes the runtime may activate.</summary>
internal sealed record GrainAssembly(Assembly Assembly);

/// <summary>A grain class, and how to construct it.</summary>
internal sealed class GrainClass
{
    private readonly Lazy<FrozenDictionary<string, Lazy<GrainMethod>>> _methods;
    private readonly ConstructorInvoker _constructor;
    private readonly Func<IServiceProvider, Activation, object?>[] _arguments;

    public GrainClass(Type type)
    {
        Type = type;
        _methods = new(() => type.GetInterfaces().Where(contract => contract.IsAssignableTo(typeof(IAddressable)))
            .SelectMany(contract => contract.GetMethods()).ToFrozenDictionary(GrainMethod.WireNameOf, method => new Lazy<GrainMethod>(() => GrainMethod.Create(method))));
        GrainType = type.GetCustomAttribute<GrainTypeAttribute>()?.GrainType ?? DefaultName(type);
        Reentrant = type.IsDefined(typeof(ReentrantAttribute));
        var constructors = type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        if (constructors is not [var constructor])
            throw new OrleansConfigurationException($"Grain class {type} must have exactly one constructor; it has {constructors.Length}.");
        _constructor = ConstructorInvoker.Create(constructor);
        _arguments = [.. constructor.GetParameters().Select(parameter => ArgumentSource(type, parameter))];
    }

    public Type Type { get; }

    public string GrainType { get; }

    public bool Reentrant { get; }

    /// <summary>The method of one of its contracts that another process asks for.</summary>
    /// <exception cref="OrleansMessageRejectionException">There is none of that name: the other runs another version.</exception>
    public GrainMethod MethodNamed(string wireName) => _methods.Value.TryGetValue(wireName, out var method)
        ? method.Value
        : throw new OrleansMessageRejectionException($"Grain type '{GrainType}' has no method '{wireName}' in this version.");

    /// <summary>The grain object. Its states are bound to the activation but not yet read.</summary>
    public Grain Construct(Activation activation)
    {
        var services = activation.ActivationServices;
        var arguments = new object?[_arguments.Length];
        for (var index = 0; index < arguments.Length; index++)
            arguments[index] = _arguments[index](services, activation);
        try
        {
            return (Grain)_constructor.Invoke(arguments.AsSpan());
        }
        catch (TargetInvocationException exception) when (exception.InnerException is { } thrown)
        {
            ExceptionDispatchInfo.Throw(thrown);
            throw;
        }
    }

    private static Func<IServiceProvider, Activation, object?> ArgumentSource(Type grain, ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        if (parameter.GetCustomAttribute<PersistentStateAttribute>() is { } state)
        {
            if (!type.IsGenericType || type.GetGenericTypeDefinition() != typeof(IPersistentState<>))
                throw new OrleansConfigurationException($"Grain class {grain}: [PersistentState] belongs on an IPersistentState<T>, not on '{parameter.Name}'.");
            var create = typeof(PersistentState<>).MakeGenericType(type.GenericTypeArguments)
                .GetMethod(nameof(PersistentState<object>.Create), BindingFlags.Static | BindingFlags.Public)!
                .CreateDelegate<Func<Activation, string, IActivationState>>();
            return (_, activation) => activation.AddState(create(activation, state.StateName));
        }
        if (parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { Key: { } key })
            return (services, _) => services.GetRequiredKeyedService(type, key);
        if (type == typeof(IGrainContext))
            return (_, activation) => activation;
        if (parameter.HasDefaultValue)
            return (services, _) => services.GetService(type) ?? parameter.DefaultValue;
        return (services, _) => services.GetRequiredService(type);
    }

    private static string DefaultName(Type type)
    {
        var name = type.Name.ToLowerInvariant();
        return name.Length > 5 && name.EndsWith("grain", StringComparison.Ordinal) ? name[..^5] : name;
    }
}

/// <summary>Every grain class of the registered assemblies.</summary>
internal sealed class GrainClasses
{
    private readonly FrozenDictionary<string, GrainClass> _byGrainType;
    private readonly FrozenDictionary<Type, GrainClass[]> _byContract;

    public GrainClasses(IEnumerable<GrainAssembly> assemblies)
    {
        GrainClass[] classes =
        [
            .. assemblies.Select(source => source.Assembly).Distinct().SelectMany(assembly => assembly.GetTypes())
                .Where(type => type is { IsAbstract: false, IsGenericTypeDefinition: false } && type.IsAssignableTo(typeof(Grain)))
                .Select(type => new GrainClass(type)),
        ];
        if (classes.GroupBy(grain => grain.GrainType).FirstOrDefault(group => group.Count() > 1) is { } clash)
        {
            throw new OrleansConfigurationException(
                $"Grain type '{clash.Key}' is claimed by {string.Join(" and ", clash.Select(grain => grain.Type))}: give one a [GrainType].");
        }
        _byGrainType = classes.ToFrozenDictionary(grain => grain.GrainType);
        _byContract = classes
            .SelectMany(grain => grain.Type.GetInterfaces().Where(contract => contract.IsAssignableTo(typeof(IAddressable))), (grain, contract) => (grain, contract))
            .GroupBy(pair => pair.contract, pair => pair.grain).ToFrozenDictionary(group => group.Key, group => group.ToArray());
    }

    /// <summary>All that can be activated here.</summary>
    public IReadOnlyList<string> GrainTypes => _byGrainType.Keys;

    public GrainClass OfType(string grainType) =>
        _byGrainType.GetValueOrDefault(grainType) ?? throw new ArgumentException($"No registered grain class has the grain type '{grainType}'.");

    /// <exception cref="ArgumentException">None or several classes implement the contract.</exception>
    public GrainClass Implementing(Type contract, string? classNamePrefix)
    {
        var candidates = _byContract.GetValueOrDefault(contract, []);
        if (candidates.Length > 1 && classNamePrefix is not null)
            candidates = [.. candidates.Where(grain => grain.Type.FullName!.StartsWith(classNamePrefix, StringComparison.Ordinal))];
        return candidates switch
        {
            [var only] => only,
            [] => throw new ArgumentException($"Could not find an implementation for interface {contract}."),
            _ => throw new ArgumentException($"Several classes implement {contract}: {string.Join(", ", candidates.Select(grain => grain.Type))}."),
        };
    }
}
